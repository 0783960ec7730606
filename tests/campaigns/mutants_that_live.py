"""Why a mutant that no test notices may live: by the file or package of mutation.py, and by the change."""

CHUNKS = "another length of the pieces that threads take, or one more that is empty: the same result"
PEAK = "of the peak only the time is of interest, and in plain Python not even that"
UNUSED = (
    "the stride of an axis of one element, an extent that `contract` takes from another operand, a value of which the "
    "type counts: never used"
)
FROZEN = "a record that could be changed, which nobody does"
DRAWN = "the size or place of a drawing's part, a number of digits: a matter of taste"
REASONS = {  # why what no test notices may live, by the change
    "jitnet/model/optimizer.py": {
        "1 -> 2": "a second record that nobody reads",
        "2 -> 3": "a number that is only compared with 0 and 1",
    },
    "jitnet/storage/atomic.py": {
        "8 -> 9": "a longer random name",
        "0 -> 1": "what stands for O_BINARY where there is none: the bit of O_WRONLY, which is set anyway",
    },
    "jitnet/storage/checkpoint.py": {
        "size < promised -> size <= promised": "only asked where they differ",
        "1 -> 2": "what stands for not found: any negative number does",
        "0 -> 1": "a header begins with a brace, so that nothing is found at 0",
    },
    "jitnet/history": {
        "curves.py: True -> False": FROZEN,
        "tables.py: 0 -> 1": "the epoch of a configuration without any, of which nothing is shown",
        "tables.py: 1 -> 2": "a factor of a loss, a place after all others: the order is the same",
    },
    "jitnet/report": {
        "chart.py: 0 -> 1": DRAWN,
        "convolutions.py: 16 -> 17": DRAWN,
        "reliability.py: 44 -> 45": DRAWN,
        "reliability.py: left + 1.5 -> left - 1.5": DRAWN,
        "reliability.py: 1 -> 2": DRAWN,
    },
    "jitnet/trials": {
        "driver.py: time.sleep(0.05) -> pass": "waits by asking more often",
        "driver.py: time.sleep(0.1) -> pass": "waits by asking more often",
        "driver.py: size - self._at -> size + self._at": "reads to the end of the file, and what was just added",
        "driver.py: 0.0 -> 1.0": "a second after the machine's start, when nothing was written yet",
        "plan.py: learning_rate(settings, epoch) > 0.99 * settings.lr -> "
        "learning_rate(settings, epoch) >= 0.99 * settings.lr": "no schedule has a rate of exactly 0.99 of its peak",
    },
    "jitnet/data": {
        "readers/tables.py: 0 -> 1": "a table of one column has no labels in either case",
    },
    "jitnet/training": {
        "coach.py: rows[-1].train_loss < 0.7 * losses[-1] -> rows[-1].train_loss <= 0.7 * losses[-1]": "no loss is "
        "exactly 0.7 of another",
        "coach.py: 1 -> 2": "of data with one class, which are refused",
        "glimpses.py: 7 -> 8": DRAWN,
        "loop.py: 0 -> 1": "without images there is neither a loss nor an accuracy",
        "running_accuracy.py: 150.0 -> 151.0": "how often the accuracy is measured while training: a matter of taste",
    },
    "kernels/layers/pooling.py": {
        "2 -> 3": "of a window to the left of the first, of which nothing is read",
        "9 -> 10": "a number of the window once more, which never wins against itself",
    },
    "kernels/layers/convolution.py": {
        "0 -> 1": UNUSED,
        "1 -> 2": UNUSED,
        "3 -> 4": "an extent that `contract` takes from another operand, or few channels are four: another order",
    },
    "kernels/fast/conv_winograd.py": {
        "2 -> 3": "the rows of a band further apart",
        "4 -> 5": "then the last row of the border, of zeros, is omitted",
        "5 -> 6": "then the last row of the border, of zeros, is omitted",
    },
    "kernels/layers/linear.py": {
        "64 -> 65": CHUNKS,
        "32 -> 33": CHUNKS,
        "0 -> 1": UNUSED,
        "1 -> 2": UNUSED,
    },
    "kernels/layers/optimizer.py": {
        "4096 -> 4097": CHUNKS,
        "param.size + _CHUNK - 1 -> param.size + _CHUNK + 1": CHUNKS,
        "bad += values[i] - values[i] != 0 -> bad -= values[i] - values[i] != 0": "counts down; 0 stays 0",
    },
    "kernels/layers/activation.py": {
        "4096 -> 4097": CHUNKS,
        "x.size + _CHUNK - 1 -> x.size + _CHUNK + 1": CHUNKS,
        "out.size + _CHUNK - 1 -> out.size + _CHUNK + 1": CHUNKS,
        "z < 0 -> z <= 0": "at 0 both branches give 1/2",
    },
    "kernels/layers/loss.py": {},
    "kernels/compiler/interpreted.py": {
        "1 -> 2": "reshape takes any negative number for the size it finds itself",
        "False -> True": "a thread that is alone finds no half taken between its look and its grasp",
        "raise AssertionError('a thread that is alone has nobody to wait for') -> pass": "as it says",
        "bits & -bits -> bits | -bits": "minus the lowest bit, which is as long",
        "4 -> 5": PEAK,
        "x * a + b -> x * a - b": PEAK,
        "x * a -> x + a": PEAK,
        "0 -> 1": PEAK,
    },
}
