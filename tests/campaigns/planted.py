"""Faults that a change could bring in, each with the test that must catch it: the tests of the tests.

    python -m tests.campaigns.planted       plants one at a time in a copy of the code; what was answered stays answered

A fault is (description, file, text, text instead, test).
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "support")]
import altered
import figures

ATOMIC, CHECKPOINT = "jitnet/storage/atomic.py", "jitnet/storage/checkpoint.py"
TRAINING, POSITION = "jitnet/training/loop.py", "jitnet/training/position.py"
CONTENT = "jitnet/data/content.py"
POWER = "tests/run/test_atomic.py::test_power_loss_at_every_moment"
HOSTILE = "tests/run/test_checkpoint.py::test_hostile_files_are_refused"
SNAPSHOT = "tests/training/test_training.py::test_any_snapshot_goes_on_to_the_same_end"
IDX = "tests/data/test_data_readers.py::test_idx_refuses"
UNNOTICED = "tests/faults/test_unnoticed.py::test_"
REPORT, MEASURE = "tests/display/test_report.py::test_", "jitnet/report/measure.py"
RESIDUALS = "tests/display/test_report_regression.py::test_residuals_are_in_the_unit_of_the_target"
TRIALS, COMMANDS = "tests/trials/test_trials.py::test_", "tests/commands/test_runs_command.py::test_"
PYTHON_API = "tests/estimators/test_python_api.py::test_"

FAULTS = (
    ("a file is not synced", ATOMIC, "rest) :]\n        os.fsync(descriptor)", "rest) :]", POWER),
    ("a folder is not synced", ATOMIC, "        sync_folder(path.parent)\n", "", POWER),
    ("the old file is removed first", ATOMIC, "        os.replace(temporary, path)",
     "        os.unlink(path) if path.exists() else None\n        os.replace(temporary, path)",
     "tests/run/test_atomic.py::test_a_kill_before_every_system_call"),
    ("what was written is not read back", ATOMIC, "if temporary.read_bytes() != data:", "if False:",
     "tests/run/test_atomic.py::test_what_reads_back_different_is_not_kept"),
    ("the hash is not looked at", CHECKPOINT, "digest.hexdigest() == digits", "True",
     "tests/run/test_checkpoint.py::test_every_flipped_bit_is_refused"),
    ("two entries of one name", CHECKPOINT, "if len(set(names)) != len(names):", "if False:", HOSTILE),
    ("NaN is loaded", CHECKPOINT, 'if array.dtype.kind == "f" and', "if False and", HOSTILE),
    ("overlapping tensors", CHECKPOINT, 'if entry["data_offsets"][0] != end:', "if False:", HOSTILE),
    ("a damaged checkpoint replaces the good one", CHECKPOINT, "keep=None)\n    else:", "keep=previous)\n    else:",
     "tests/run/test_checkpoint.py::test_a_damaged_last_never_replaces_previous"),
    ("each epoch has the same order", "jitnet/training/shuffle.py", " + np.uint64(epoch)", "",
     "tests/training/test_training.py::test_the_shuffle_is_that_of_splitmix64"),
    ("the sum of losses is not kept", POSITION, '"loss_sum": self.loss_sum.copy()', '"loss_sum": 0 * self.loss_sum',
     SNAPSHOT),
    ("a resume begins its epoch again", POSITION, "np.array([self.epoch, self.step_in_epoch, self.step]",
     "np.array([self.epoch, 0, self.step]", SNAPSHOT),
    ("bytes after the data", CONTENT, "if len(content) > size:", "if False:", IDX),
    ("a header is believed", CONTENT, "if size > largest:", "if False:", IDX),
    ("a cache is believed", "jitnet/data/sources/cache.py", "sha256(array) == expected", "True",
     "tests/data/test_data_cache.py::test_a_damaged_entry_is_made_again_with_one_warning"),
    ("names that begin well", "jitnet/run/names.py", "_NAME.fullmatch(name)", "_NAME.match(name)",
     "tests/run/test_runfolder.py::test_bad_names_are_refused_and_nothing_is_made"),
    ("two own one run", "jitnet/run/lock.py", "fcntl.LOCK_EX", "fcntl.LOCK_SH",
     "tests/run/test_runfolder.py::test_the_lock"),
    ("an interrupted run exits with 0", "jitnet/commands/support/session.py",
     "code = 128 + signal", "code = 0 * signal",
     "tests/run/test_signals.py::test_a_signal_in_each_phase"),
    ("the first signal leaves at once", "jitnet/commands/support/session.py", "if self.signal is None:", "if False:",
     "tests/run/test_signals.py::test_a_signal_in_mid_save"),
    ("a full disk exits with 0", "jitnet/commands/support/session.py", "1 if folder.save_failed or", "1 if",
     "tests/faults/test_hosts.py::test_a_disk_that_is_really_full"),
    ("a step upwards", "kernels/layers/optimizer.py", "weight[i] -= lr * gradient", "weight[i] += lr * gradient",
     "tests/kernels/test_optimizer.py::test_optimizer_step"),
    ("the sum instead of the mean", "kernels/fast/batch.py", "scale = 1.0 if rule[0].summed else 1.0 / batch.size",
     "scale = 1.0", "tests/kernels/test_minibatch.py::test_float32_follows"),
    ("no scan at the end", "kernels/fast/batch.py", "return lrs.size if all_finite(params) and",
     "return lrs.size if True or", "tests/faults/test_faults.py::test_a_bad_parameter_is_never_a_success"),
    ("shards share their gradients", "kernels/fast/batch_conv.py", "grads = plan[0].shard_grads + s * size",
     "grads = plan[0].shard_grads",
     "tests/faults/test_races.py::test_every_parallel_kernel_has_the_same_bits_under_every_schedule"),
    ("one row too many", "kernels/layers/pooling.py", "for p in range(H // 2):", "for p in range(H // 2 + 1):",
     "tests/faults/test_bounds.py::test_indexed_code_stays_inside_in_plain_python"),
    ("half of a sum is lost", "kernels/fast/per_sample_layers.py",
     "work[shards + at] + work[shards + plan.conv_params + at]", "work[shards + at]",
     "tests/kernels/test_persample.py::test_steps_are_those_of_naive_sgd"),
    ("the scale of a part, not of the batch", TRAINING, "self.optimizer.scale(len(batch))",
     "self.optimizer.scale(PART)",
     "tests/training/test_large_batches.py::test_a_batch_in_parts_is_the_batch"),
    ("a resume takes the first images again", TRAINING,
     "order[(here.step_in_epoch + steps) * size :][:size]",
     "order[:size]",
     "tests/training/test_large_batches.py::test_a_batch_in_parts_continues_with_the_images_that_are_left"),
    ("minutes of this process only", TRAINING,
     "self._started = time.perf_counter() - self.position.elapsed_s\n        self._weight",
     "self._started = time.perf_counter()\n        self._weight",
     "tests/training/test_large_batches.py::test_minutes_of_earlier_processes_count"),
    ("minutes as hours", "jitnet/report/subject.py", "duration(seconds)", "duration(60 * seconds)",
     UNNOTICED + "a_report_shows_hours_as_hours_and_the_loss_of_the_last_epoch"),
    ("the loss of the first epoch", "jitnet/report/section.py",
     'subject.run.last("test_loss")', 'subject.run.epochs[0]["test_loss"]',
     UNNOTICED + "a_report_shows_hours_as_hours_and_the_loss_of_the_last_epoch"),
    ("the best errors first", "jitnet/report/measure.py", "np.argsort(-losses[wrong]", "np.argsort(losses[wrong]",
     UNNOTICED + "the_worst_errors_come_first"),
    ("powers of scores as they are", "jitnet/model/scores.py",
     "np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))", "np.exp(logits.astype(np.float64))",
     UNNOTICED + "probabilities_of_large_scores_are_finite"),
    ("the last of equal outputs", "jitnet/model/scores.py", "(outputs.argmax(axis=1) == targets)",
     "(outputs.shape[1] - 1 - outputs[:, ::-1].argmax(axis=1) == targets)",
     UNNOTICED + "of_equal_outputs_the_first_is_the_answer"),
    ("class folders without their files' names", "jitnet/data/readers/class_folders.py",
     'digest.update(f"{file.relative_to(folder)}\\0"', 'digest.update("\\0"',
     UNNOTICED + "the_key_of_class_folders_depends_on_names_of_files"),
    ("kernels of another numpy", "kernels/compiler/cache.py", ", numpy.__version__):", "):",
     UNNOTICED + "kernels_of_another_version_have_another_folder"),
    ("the worse half continues", "jitnet/trials/driver.py", "key=lambda group: -score(alive[group])",
     "key=lambda group: score(alive[group])",
     UNNOTICED + "halving_keeps_the_better_half"),
    ("an escape code is printed", "jitnet/printing.py", "if text.isprintable():", "if True:",
     "tests/faults/test_hostile_names.py::test_printable"),
    ("a cell is a formula", "jitnet/printing.py", "return \"'\" + shown if shown[:1] in",
     "return \"'\" + shown if False and shown[:1] in",
     "tests/faults/test_hostile_names.py::test_no_cell_is_a_formula"),
    ("a thread receives for ever", "jitnet/data/sources/transfer.py",
     "if self._abandoned.is_set():\n            raise", "if False:\n            raise",
     "tests/data/test_data_download.py::test_an_endless_answer_is_given_up_and_its_thread_ends"),
    ("a cache in use is removed", "kernels/compiler/cache_folder.py", "fcntl.LOCK_EX | fcntl.LOCK_NB", "fcntl.LOCK_SH",
     "tests/kernels/test_cache_folder.py::test_a_folder_in_use_is_never_removed"),
    ("confusions by the predicted class", MEASURE, "truth * classes + predicted", "predicted * classes + truth",
     REPORT + "measures_are_right"),
    ("each bin of the calibration counts as much", MEASURE, "count / len(confidence) * abs", "1 / BINS * abs",
     REPORT + "measures_are_right"),
    ("residuals in the square of the unit", "jitnet/report/regression.py", "unit**0.5", "unit", RESIDUALS),
    ("true minus predicted", "jitnet/report/regression.py", "return self.predicted - self.true",
     "return self.true - self.predicted", RESIDUALS),
    ("the best epoch counted from 0", "jitnet/report/subject.py", "values.index(best) + 1", "values.index(best)",
     UNNOTICED + "a_report_names_the_best_epoch_and_the_commonest_confusion"),
    ("the class that is taken for another, the wrong way round", "jitnet/report/subject.py",
     "true, taken = map(", "taken, true = map(",
     UNNOTICED + "a_report_names_the_best_epoch_and_the_commonest_confusion"),
    ("the deviation over n", "jitnet/history/statistics.py", "in values) / (n - 1))", "in values) / n)",
     TRIALS + "statistics_of_runs_of_unequal_length"),
    ("the time of evaluations is forgotten", "jitnet/history/read.py",
     'seconds += (row.get("train_s") or 0.0) + (row.get("eval_s") or 0.0)', 'seconds += row.get("train_s") or 0.0',
     COMMANDS + "a_comparison_has_only_what_differs"),
    ("hours as minutes", "jitnet/history/compare.py", "seconds / 60", "seconds / 3600",
     COMMANDS + "a_comparison_has_only_what_differs"),
    ("the highest loss first", "jitnet/history/tables.py", '("val_loss", 1)', '("val_loss", -1)',
     UNNOTICED + "the_best_of_a_sweep_has_the_highest_accuracy_or_the_lowest_loss"),
    ("the smallest first, and the largest", "jitnet/history/select.py", "(name not in SMALL_FIRST) != reverse",
     "(name not in SMALL_FIRST) == reverse", COMMANDS + "sorted_and_filtered"),
    ("a curve begins at epoch 0", "jitnet/history/curves.py", '("epoch") or 0.0) + 1', '("epoch") or 0.0)',
     UNNOTICED + "a_curve_begins_at_epoch_1_and_counts_all_seconds"),
    ("a wide range is drawn evenly", "jitnet/trials/plan.py", "low * (high / low) ** share if wide",
     "low + (high - low) * share if wide", TRIALS + "random_draws_are_the_same_each_time_and_distinct"),
    ("a rung is missing", "jitnet/trials/plan.py", "while found[0] >= factor:", "while found[0] > factor:",
     TRIALS + "halving_counts_its_epochs"),
    ("the pace of earlier commands", "jitnet/history/board.py", "(time.monotonic() - self.began) / done",
     "(time.monotonic() - self.began) / self.trained", TRIALS + "time_left_is_what_is_left_at_this_pace"),
    ("the worst trial ahead", "jitnet/history/board.py", "key=lambda row: -row.figure", "key=lambda row: row.figure",
     UNNOTICED + "trials_are_ranked_by_accuracy_or_by_the_lowest_loss"),
    ("an earlier command's first epoch", "jitnet/trials/driver.py", "setattr(row, name, epochs[-1].get(name))",
     "setattr(row, name, epochs[0].get(name))", UNNOTICED + "a_trial_of_an_earlier_command_has_its_last_epoch"),
    ("every seventh image, and one more", "jitnet/data/labels.py", "places[HELD_OUT - 1 :: HELD_OUT]",
     "places[HELD_OUT :: HELD_OUT]", UNNOTICED + "every_seventh_image_of_a_class_is_held_out_or_the_last"),
    ("validation images are trained on", "jitnet/data/split.py", "return (x[:cut], y[:cut]), (x[cut:]",
     "return (x, y), (x[cut:]",
     "tests/training/test_training.py::test_validation_images_are_the_last_and_never_trained_on"),
    ("one key for any column of labels", "jitnet/data/sources/layouts.py", "_key(content, label, str(pixels))",
     "_key(content, str(pixels))", UNNOTICED + "another_column_of_labels_is_another_entry_of_the_cache"),
    ("pixels are rounded down", "jitnet/data/pixels.py", "np.rint(share * 255)", "np.floor(share * 255)",
     UNNOTICED + "fractions_become_the_nearest_byte"),
    ("the mean of the target is not added", "jitnet/estimators/regressor.py",
     "self._record.deviations[-1] + self._record.means[-1]", "self._record.deviations[-1]",
     PYTHON_API + "regressors_learn_numbers_and_stop_by_their_loss"),
    ("weights have the sum 1, not the mean", "jitnet/estimators/weighting.py", "weights[train].mean()",
     "weights[train].sum()", UNNOTICED + "weights_have_the_mean_1"),
    ("large classes weigh more", "jitnet/estimators/weighting.py",
     "(len(targets) / len(labels) / np.maximum(counts, 1))", "(counts * len(labels) / len(targets))",
     UNNOTICED + "balanced_classes_have_the_same_share"),
    ("the spread around a mean without weights", "jitnet/estimators/regressor.py",
     "np.average(wanted, weights=weights)) ** 2", "np.average(wanted)) ** 2",
     UNNOTICED + "r_squared_with_weights_is_that_of_repeated_rows"),
    ("patience counts the best epoch", "jitnet/training/stopping.py", "len(values) - 1 - values.index(",
     "len(values) - values.index(", "tests/training/test_stopping.py::test_patience_counts_from_the_first_best_epoch"),
    ("the target counts on test images", "jitnet/training/stopping.py", "if settings.val:", "if not settings.val:",
     "tests/training/test_stopping.py::test_the_target_is_looked_for_on_validation_images_if_there_are_any"),
    ("the average starts late", "jitnet/training/averaging.py", "(1 + t) / (10 + t))\n    average",
     "t / (9 + t))\n    average",
     "tests/training/test_averaging.py::test_the_average_is_its_equation_and_training_does_not_see_it"),
    ("degrees as radians", "jitnet/training/augmentation.py", "math.radians(amounts.rotate)", "amounts.rotate",
     UNNOTICED + "the_kernel_turns_by_radians"),
    ("the square of the change of weights", "jitnet/training/weight_change.py", "/ size) ** 0.5", "/ size) ** 1.0",
     "tests/display/test_panels.py::test_movement_is_the_change_of_the_weights_by_layer"),
    ("the rate falls an epoch early", "jitnet/training/schedule.py", "10 ** (3 * epoch // epochs)",
     "10 ** (3 * (epoch + 1) // epochs)",
     "tests/training/test_schedule.py::test_steps_fall_to_a_tenth_after_each_third"),
    ("a rung is judged by the newest epoch", "jitnet/trials/driver.py",
     "rows = self.folder.epochs_of(trial.name)[:rung]", "rows = self.folder.epochs_of(trial.name)",
     "tests/trials/test_ranking.py::test_all_are_judged_after_the_same_epochs"),
    ("a diverged trial may continue", "jitnet/trials/driver.py",
     'in ("done", "stopped") else {}', 'in ("done", "stopped", "diverged") else {}',
     "tests/trials/test_ranking.py::test_what_has_not_come_to_rest_as_it_should_is_behind"),
    ("one folder for sweeps of other ranges", "jitnet/trials/plan.py", '"bounds": bounds, "draws"', '"draws"',
     "tests/trials/test_plans.py::test_whatever_changes_the_trials_or_their_epochs_makes_another_sweep"),
    ("trials go on with other data", "jitnet/trials/driver.py", "if not self.folder.data_of_trials():",
     "if True or not self.folder.data_of_trials():",
     "tests/trials/test_sweep_folder.py::test_trials_go_on_with_the_data_they_began_with_alone"),
    ("trials are ranked by test images", "jitnet/history/board.py", "(self.val_accuracy, self.test_accuracy)",
     "(self.test_accuracy, self.val_accuracy)",
     "tests/trials/test_ranking.py::test_validation_images_rank_and_test_images_only_without_them"),
    ("a change from the run before, not from the first", "jitnet/history/compare.py",
     "None if v is None or first is None else v - first) for v in values[1:]",
     "None if v is None or b is None else v - b) for b, v in zip(values, values[1:])",
     "tests/commands/test_choosing_runs.py::test_a_comparison_is_with_the_first_run"),
    ("a column of the matrix is a true class", "jitnet/report/section.py",
     "images = int(measured.confusion[label, other])", "images = int(measured.confusion[other, label])",
     "tests/display/test_report_figures.py::test_a_row_of_the_matrix_is_a_true_class"),
    ("a cell is the last of its seeds", "jitnet/report/heatmap.py",
     'best[place] = max(best.get(place, (float("-inf"), NONE)), _quality(run))', "best[place] = _quality(run)",
     "tests/display/test_sweep_page.py::test_a_cell_is_the_best_of_its_seeds"),
    ("class weights alone, where images have weights too", "jitnet/estimators/classifier.py",
     "np.prod(found, axis=0) if found", "found[-1] if found",
     "tests/estimators/test_fit.py::test_weights_of_images_and_of_their_classes_are_multiplied"),
    ("the last of equally good epochs", "jitnet/estimators/estimator.py", "if result > best[0] else best",
     "if result >= best[0] else best",
     "tests/estimators/test_fit.py::test_the_first_of_the_best_epochs_predicts"),
    ("the highest loss is the best", "jitnet/training/stopping.py", "else row.val_loss and -row.val_loss",
     "else row.val_loss", "tests/estimators/test_fit.py::test_a_regressor_keeps_the_epoch_of_the_lowest_loss"),
    ("scores are made sharper by the first images", "jitnet/training/calibration.py",
     "array[evenly(len(array))] for", "array[:MOST] for",
     "tests/training/test_calibration.py::"
     "test_without_held_out_images_those_that_decide_are_from_all_over_the_file"),
    ("each epoch has the same pictures", TRAINING, "self.settings.augment, self.settings.seed, here.epoch)",
     "self.settings.augment, self.settings.seed, 0)",
     "tests/training/test_what_is_trained_on.py::test_pictures_are_changed_by_the_seed_and_the_epoch"),
    ("one rate for all steps between two reports", TRAINING, "self._rates(1, steps)[0]", "self._rates(1)[0]",
     "tests/training/test_what_is_trained_on.py::test_each_step_of_weighted_images_has_its_own_rate"),
    ("validation images instead of test images", "jitnet/data/readers/class_folders.py",
     'for part in ("test", "val") if', 'for part in ("val", "test") if',
     "tests/data/test_data_selection.py::"
     "test_it_is_measured_on_test_data_where_there_are_validation_data_too"),
    ("test images stay on their side", "jitnet/data/dataset.py",
     "x = [np.ascontiguousarray(each.swapaxes(1, 2)) for each in x]",
     "x = [np.ascontiguousarray(x[0].swapaxes(1, 2)), x[1]]",
     "tests/data/test_data_inputs.py::test_images_on_their_side_are_turned_upright"),
    ("a lower mark is a higher accuracy", "jitnet/display/charts.py", "marks = {\n        (round((1 - curve",
     "marks = {\n        (round((0 + curve",
     "tests/display/test_display_figures.py::test_a_higher_mark_is_a_higher_accuracy"),
    ("a notebook's curves have each other's names", "jitnet/display/notebook.py",
     '(("validation", "val_accuracy"), ("test", "test_accuracy"))',
     '(("validation", "test_accuracy"), ("test", "val_accuracy"))', "tests/display/test_display_figures.py::"
     "test_curves_of_a_notebook_have_their_own_names_and_begin_after_the_first_epoch"),
    ("a plot begins at 0, not at its first point", "jitnet/display/overlay.py",
     "placed = [((x - left) / span, scale.place(y))", "placed = [(x / right, scale.place(y))",
     "tests/display/test_display_figures.py::test_a_plot_of_several_runs_begins_with_their_first_point"),
    ("validation accuracy is written large", "jitnet/display/headline.py",
     '(("test", last.test_accuracy), ("validation", last.val_accuracy))',
     '(("validation", last.val_accuracy), ("test", last.test_accuracy))', "tests/display/test_display_figures.py::"
     "test_the_large_accuracy_is_that_of_test_images_or_else_of_validation_images"),
    ("the accuracy of a step that is not recorded is lost", "jitnet/run/logs.py",
     "self._accuracy = event.accuracy if event.accuracy is not None else self._accuracy",
     "self._accuracy = event.accuracy", "tests/run/test_run_figures.py::"
     "test_an_accuracy_stands_at_the_next_step_that_is_recorded_and_at_no_other"),
    ("guessing is taken for equal classes", "jitnet/training/coach.py",
     "float(-(shares * np.log(shares)).sum())", "float(np.log(len(shares)))",
     "tests/training/test_coach_tasks.py::test_guessing_is_the_loss_of_the_shares_of_the_classes"),
    ("a divergence is at the first step of its call", TRAINING, "here.step + max(done, 0))", "here.step)",
     "tests/training/test_what_is_reported.py::test_a_divergence_is_at_the_step_whose_loss_is_not_finite"),
    ("a regression ends with the error of its last row", TRAINING, "            rmse = root_of(loss, test)\n", "",
     "tests/training/test_what_is_reported.py::test_a_regression_ends_with_the_error_of_its_last_weights"),
    ("small gradients are checked by the largest", "jitnet/model/gradcheck.py",
     "np.maximum(np.abs(expected), largest / 100)", "np.maximum(np.abs(expected), largest)",
     "tests/model/test_gradcheck.py::test_an_error_is_the_worst_of_a_tensor_and_measured_by_its_own_gradient"),
    ("a listener that ends the training silences the next", "jitnet/estimators/watching.py",
     "ends = listener(event) is True or ends", "ends = ends or listener(event) is True",
     "tests/estimators/test_what_is_kept.py::test_every_listener_hears_every_event_and_only_true_ends_the_training"),
)  # fmt: skip


def main() -> int:
    """Plant each fault and return 1 if one is not caught, or if its test fails without it."""
    copy, missed, broken = altered.Copy(), [], []
    for what, file, text, instead, test in FAULTS:
        whole = (copy.sources / file).read_text()
        if copy.status(file, whole, test) != altered.PASSED:
            broken.append(test)
            print(f"fails without a fault: {test}", flush=True)
            continue
        status = copy.status(file, whole.replace(text, instead, 1), test)
        print(f"{what}: {'caught' if status == altered.FAILED else f'MISSED ({status})'}", flush=True)
        if status != altered.FAILED:
            missed.append(what)
    if not broken:
        figures.note("planted", faults=len(FAULTS), caught=len(FAULTS) - len(missed))
    return bool(missed or broken)


if __name__ == "__main__":
    altered.warm()
    with figures.kept():
        code = main()
    sys.exit(code)
