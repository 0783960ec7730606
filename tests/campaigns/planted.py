"""Faults that a change could bring in, each with the test that must catch it: the tests of the tests.

A fault is (description, file, text, text instead, test). test_planted.py applies one at a time to a copy of the code.
"""

ATOMIC, CHECKPOINT = "jitnet/storage/atomic.py", "jitnet/storage/checkpoint.py"
TRAINING, CONTENT = "jitnet/training/loop.py", "jitnet/data/content.py"
POWER = "tests/run/test_atomic.py::test_power_loss_at_every_moment"
HOSTILE = "tests/run/test_checkpoint.py::test_hostile_files_are_refused"
SNAPSHOT = "tests/training/test_training.py::test_any_snapshot_goes_on_to_the_same_end"
IDX = "tests/data/test_data_readers.py::test_idx_refuses"

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
    ("the sum of losses is not kept", TRAINING, '"loss_sum": self.loss_sum.copy()', '"loss_sum": 0 * self.loss_sum',
     SNAPSHOT),
    ("a resume begins its epoch again", TRAINING, "np.array([self.epoch, self.step_in_epoch, self.step]",
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
)  # fmt: skip
