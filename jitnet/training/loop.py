"""The loop: a generator of events. It trains, evaluates and reports; it prints nothing and opens no file."""

import math
import time
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np

from jitnet.config import Settings
from jitnet.data.split import Split
from jitnet.errors import InputError
from jitnet.events import Diverged, EpochDone, Event, PeakMeasured, Progress, RunFinished, StepsDone, Tensors, Warned
from jitnet.machine import threads
from jitnet.machine.peak import measure
from jitnet.model import architecture, inference
from jitnet.model.network import PART, Network
from jitnet.model.optimizer import Optimizer
from jitnet.model.scores import confusion, root_of
from jitnet.training import pace
from jitnet.training.augmentation import augmented, require_images
from jitnet.training.averaging import averaged, descend, follow_each
from jitnet.training.calibration import calibrate
from jitnet.training.coach import Coach, task_of
from jitnet.training.compilation import compile_kernels
from jitnet.training.compile_tools import compile_augmentation, compile_peak
from jitnet.training.evaluation import evaluate
from jitnet.training.glimpses import of_test_images
from jitnet.training.position import Position
from jitnet.training.running_accuracy import RunningAccuracy
from jitnet.training.schedule import learning_rate, learning_rates
from jitnet.training.shuffle import visiting_order
from jitnet.training.stopping import out_of_time, stop_reason
from jitnet.training.weight_change import WeightChange

_NOT_FINITE = "a parameter is not finite any more"


class Training:
    """One run: a network, its settings and data, and the position it has reached.

    `run()` yields events until `epochs` are done. Between two events the state is at rest: a consumer may call the
    snapshot of the event it holds, or stop iterating.
    """

    def __init__(
        self,
        network: Network,
        settings: Settings,
        data: Split,
        position: Position | None = None,
        run_name: str = "",
        peak_threads: int = 0,
    ):
        self.network, self.settings, self.data = network, settings, data
        self.position = position or Position()
        self.epochs = settings.until  # those after the planned ones have the last learning rate
        self.run_name = run_name
        self.peak_threads = peak_threads  # measure the machine's peak on that many before the first step; 0 = do not
        require_images(settings.augment, data.train[0].shape[1:])
        self._started = time.perf_counter() - self.position.elapsed_s
        self.rows: list[EpochDone] = []  # of the epochs that are done; a resume puts the earlier ones here
        images = len(data.train[0])
        self.batch_size = min(settings.batch_size or images, images)
        self.steps_per_epoch = min(-(-images // self.batch_size), settings.steps_per_epoch or images)
        self._in_parts = self.batch_size > PART or data.weights is not None
        self._images_per_epoch = min(images, self.steps_per_epoch * self.batch_size)
        self._pace = pace.Pace(threads.choices(threads.useful(self.batch_size)), architecture.step_macs(network.shapes))
        self.optimizer = Optimizer.of(settings)
        self.optimizer.start(network.params)
        if self.position.step:
            self.optimizer.restore(self.position.optimizer, self.position.step)
        inference.reserve(network, max(len(data.val[0]), len(data.test[0])))  # now: it may not fit in memory
        network.reserve(min(self.batch_size, PART))
        if self.position.step_in_epoch > self.steps_per_epoch:
            raise InputError(
                f"the run stands at step {self.position.step_in_epoch} of an epoch, but its data gives "
                f"{self.steps_per_epoch} steps: expected the data it was started with"
            )

    def tensors(self) -> Tensors:
        """Return copies of the parameters, the optimizer's state and the position: a checkpoint's content."""
        parameters = {name: array.copy() for name, array in self.network.tensors().items()}
        return parameters | self.optimizer.state() | self.position.tensors()

    def compile(self) -> Iterator[Event]:
        """Compile, or load from the cache, what training calls."""
        size = PART + 1 if self._in_parts else self.batch_size
        yield from compile_kernels(self.network, size, *self.data.train, self.optimizer)
        yield from compile_augmentation(self.settings.augment, self.data.train[0])

    def run(self) -> Iterator[Event]:
        """Compile, then train and evaluate epoch by epoch. A loss that is not finite ends it with `Diverged`."""
        self._started = time.perf_counter() - self.position.elapsed_s
        self._weight_change = WeightChange(self.network)
        task = task_of(self.settings, self.data.train[1], self.batch_size, self.data.unit, self.data.weights)
        self._coach = Coach(task, self._pace)
        self._running_accuracy = RunningAccuracy(self.network, *self.data.train)
        yield from (Warned(message=note) for note in self.data.notes if not self.position.step)
        yield from self.compile()
        if self.peak_threads:
            yield from compile_peak()
            if gflops := measure(self.peak_threads):
                yield PeakMeasured(gflops=gflops, threads=self.peak_threads)
        why = ""
        while self.position.epoch < self.epochs and not (why := stop_reason(self.settings, self.rows, self._elapsed())):
            diverged = yield from (self._train_in_parts() if self._in_parts else self._train_epoch())
            if diverged is not None:
                yield diverged
                return
            if self.position.step_in_epoch < self.steps_per_epoch:  # out of time
                continue
            result = yield from self._evaluate_epoch()
            yield result
            if isinstance(result, Diverged):
                return
            self.rows.append(result)
            yield from self._coach.after_epoch(self.rows, ended=False) if self.position.epoch < self.epochs else ()
        last = self.rows[-1] if self.rows else None
        val, test, rmse = (last.val_accuracy, last.test_accuracy, last.test_rmse) if last else (None, None, None)
        if self.position.step_in_epoch:  # stopped inside an epoch: these parameters are not those of its last row
            _, val, _ = yield from self._evaluate(*self.data.val)
            loss, test, _ = yield from self._evaluate(*self.data.test)
            rmse = root_of(loss, test)
        yield from self._coach.after_epoch(self.rows, ended=True)
        yield RunFinished(
            test_accuracy=test, val_accuracy=val, elapsed_s=self._elapsed(), data=self.data.name, run=self.run_name,
            test_rmse=rmse, stop_reason=why,
        )  # fmt: skip

    def _may_continue(self, ahead: int = 0) -> bool:
        """Are there steps left in this epoch after `ahead` more, and time for them?"""
        left = self.steps_per_epoch - self.position.step_in_epoch - ahead
        return left > 0 and not out_of_time(self.settings, self._elapsed())

    def leave_out(self, seconds: float) -> None:
        """Take a pause out of the time of the run."""
        self._started += seconds

    def _elapsed(self) -> float:
        return time.perf_counter() - self._started

    def _train_epoch(self) -> Generator[Event, None, Diverged | None]:
        """Train what is left of the epoch, call by call."""
        here, size = self.position, self.batch_size
        images, targets, order = self._epoch_data()

        def train(order: np.ndarray, rates: np.ndarray) -> tuple[int, np.ndarray]:
            return self.network.train_steps(images, targets, order, size, rates, here.loss_sum, self.optimizer)

        while self._may_continue():
            steps = self._pace.steps(size, self.steps_per_epoch - here.step_in_epoch)
            batches = order[here.step_in_epoch * size : (here.step_in_epoch + steps) * size]
            accuracy = self._running_accuracy.measure(order[here.step_in_epoch * size :])
            rates = self._rates(steps)
            with self._pace.call(len(batches)):
                done, losses = follow_each(train, batches, size, rates, self.network, self.optimizer)
            if done != steps:
                what = _NOT_FINITE if done < 0 else f"the loss is {losses[done]}"
                return self._diverged(what, here.step + max(done, 0))
            yield from self._stepped(rates[-1], steps, len(batches), losses.mean(), self._pace.seconds, accuracy)
        return None

    def _epoch_data(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the epoch's images, augmented if that is set, its targets, and the order of the visits."""
        (images, targets), here, before = self.data.train, self.position, time.perf_counter()
        order = visiting_order(len(images), self.settings, here.epoch)
        rest = order[here.step_in_epoch * self.batch_size : self.steps_per_epoch * self.batch_size]
        images = augmented(images, rest, self.settings.augment, self.settings.seed, here.epoch)
        here.train_s += time.perf_counter() - before
        return images, targets, order

    def _train_in_parts(self) -> Generator[Event, None, Diverged | None]:
        """Train what is left of an epoch whose batches take several calls each, with images of one weight each."""
        here, size = self.position, self.batch_size
        images, targets, order = self._epoch_data()
        grad = np.empty_like(self.network.params)
        steps, seen, loss, seconds, accuracy = 0, 0, 0.0, 0.0, None  # since the last report
        while self._may_continue(steps):
            batch = order[(here.step_in_epoch + steps) * size :][:size]
            grad[:] = 0
            accuracy = self._running_accuracy.measure(batch) if steps == 0 else accuracy
            total, done, scale = 0.0, 0, self.optimizer.scale(len(batch))
            for part, weight in self.data.parts(batch, PART):
                batch_of = (images, targets, part, weight * scale, grad, self.optimizer.taken)
                with self._pace.call(len(part)):
                    total += weight * self.network.accumulate(*batch_of)
                seconds += self._pace.seconds
                done += len(part)
                if size > PART:
                    yield Progress(epoch=here.epoch, images=done, total=len(batch))
            if not np.isfinite(total):
                return self._diverged(f"the loss is {total / len(batch)}", here.step + steps)
            lr = float(self._rates(1, steps)[0])
            with self._pace.threads():
                finite = descend(self.network, grad, lr, self.optimizer)
            if not finite:
                return self._diverged(_NOT_FINITE, here.step + steps)
            here.loss_sum += total
            steps, seen, loss = steps + 1, seen + len(batch), loss + total
            if size > PART or seconds >= pace.CALL_S:
                yield from self._stepped(lr, steps, seen, loss / seen, seconds, accuracy)
                steps, seen, loss, seconds = 0, 0, 0.0, 0.0
        if steps:
            yield from self._stepped(lr, steps, seen, loss / seen, seconds, accuracy)
        return None

    def _rates(self, steps: int, ahead: int = 0) -> np.ndarray:
        """Return the learning rates (steps,) of the next steps, without the first `ahead` of them."""
        epoch, first = self.position.epoch, self.position.step_in_epoch + ahead
        return learning_rates(self.settings, epoch, first, steps, self.steps_per_epoch)

    def _stepped(
        self, lr: float, steps: int, images: int, loss: float, took: float, seen: float | None
    ) -> Iterator[Event]:
        """Move the position on by some steps and report them."""
        here = self.position
        here.step_in_epoch += steps
        here.step += steps
        here.train_s += took
        done = StepsDone(
            epoch=here.epoch,
            step=here.step,
            step_in_epoch=here.step_in_epoch,
            steps_per_epoch=self.steps_per_epoch,
            images=images,
            lr=float(lr),
            call_loss=float(loss) * self.data.unit,
            epoch_loss=self._epoch_loss(),
            seconds=took,
            elapsed_s=self._elapsed(),
            accuracy=seen,
            moved=self._weight_change.since_last(),
            snapshot=self.tensors,
        )
        yield done
        yield from self._coach.after_call(done)

    def _evaluate(
        self, images: np.ndarray, targets: np.ndarray
    ) -> Generator[Event, None, tuple[float | None, float | None, np.ndarray]]:
        """Return the loss in the targets' unit, the accuracy and the scores (n, K); see `evaluate`."""
        with self._pace.threads():
            found = yield from evaluate(self.network, self.optimizer, images, targets, self.position.epoch)
        return found[0] if found[0] is None else found[0] * self.data.unit, *found[1:]

    def _epoch_loss(self) -> float:
        seen = min(self.position.step_in_epoch * self.batch_size, self._images_per_epoch)
        return float(self.position.loss_sum[0]) * self.data.unit / max(1, seen)

    def _diverged(self, what: str, step: int) -> Diverged:
        here, lr = self.position, float(self._rates(1)[0])
        place = f", first seen in {where}" if (where := self.network.not_finite()) else ""
        return Diverged(
            epoch=here.epoch,
            step=step,
            lr=lr,
            message=f"{what} at step {step} (epoch {here.epoch + 1}, learning rate {lr:g}{place}): "
            "the last good checkpoint is kept, try a smaller --lr",
        )

    def _evaluate_epoch(self) -> Generator[Event, None, EpochDone | Diverged]:
        """Measure the epoch that is trained, and move the position on to the next one."""
        here, before = self.position, time.perf_counter()
        val_loss, val_accuracy, of_val = yield from self._evaluate(*self.data.val)
        test_loss, test_accuracy, logits = yield from self._evaluate(*self.data.test)
        if self.settings.label_smoothing:
            here.sharpness = yield from calibrate(self._evaluate, self.data, of_val)
        eval_s = time.perf_counter() - before
        for name, loss in (("validation", val_loss), ("test", test_loss)):
            if loss is not None and not math.isfinite(loss):
                return self._diverged(f"the {name} loss is {loss}", here.step)
        images, targets = self.data.test
        with averaged(self.network, self.optimizer):
            glimpses: dict[str, Any] = of_test_images(self.network, images, targets, logits)
        outputs, true = (logits, targets) if len(targets) else (of_val, self.data.val[1])
        table = confusion(outputs.argmax(axis=1), true, self.network.classes) if targets.ndim == 1 else ()
        epoch, train_s, train_loss = here.epoch, here.train_s, self._epoch_loss()
        here.epoch, here.step_in_epoch, here.train_s, here.loss_sum[0] = epoch + 1, 0, 0.0, 0.0
        return EpochDone(
            epoch=epoch,
            step=here.step,
            lr=learning_rate(self.settings, epoch, self.steps_per_epoch),
            train_loss=train_loss,
            val_loss=val_loss,
            val_accuracy=val_accuracy,
            test_loss=test_loss,
            test_accuracy=test_accuracy,
            train_s=train_s,
            eval_s=eval_s,
            images_per_s=self._images_per_epoch / max(train_s, 1e-9),
            elapsed_s=self._elapsed(),
            data=self.data.name,
            test_rmse=root_of(test_loss, test_accuracy),
            confusion=table,
            **glimpses,
            snapshot=self.tensors,
        )
