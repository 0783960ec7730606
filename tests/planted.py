"""Faults that a change could bring in, each with the test that must catch it: the tests of the tests.

A fault is (what it is, file, text, text instead, test). test_planted.py applies one at a time to a copy of the sources.
"""

ATOMIC, CHECKPOINT = "jitnet/atomic.py", "jitnet/checkpoint.py"
TRAINING, CONTENT = "jitnet/training.py", "jitnet/data/content.py"
POWER = "tests/test_atomic.py::test_power_loss_at_every_moment"
HOSTILE = "tests/test_checkpoint.py::test_hostile_files_are_refused"
SNAPSHOT = "tests/test_training.py::test_any_snapshot_goes_on_to_the_same_end"
IDX = "tests/test_data_readers.py::test_idx_refuses"

FAULTS = (
    ("a file is not synced", ATOMIC, "rest) :]\n        os.fsync(descriptor)", "rest) :]", POWER),
    ("a folder is not synced", ATOMIC, "        sync_folder(path.parent)\n", "", POWER),
    ("the old file is removed first", ATOMIC, "        os.replace(temporary, path)",
     "        os.unlink(path) if path.exists() else None\n        os.replace(temporary, path)",
     "tests/test_atomic.py::test_a_kill_before_every_system_call"),
    ("what was written is not read back", ATOMIC, "if temporary.read_bytes() != data:", "if False:",
     "tests/test_atomic.py::test_what_reads_back_different_is_not_kept"),
    ("the hash is not looked at", CHECKPOINT, "digest.hexdigest() == digits", "True",
     "tests/test_checkpoint.py::test_every_flipped_bit_is_refused"),
    ("two entries of one name", CHECKPOINT, "if len(set(names)) != len(names):", "if False:", HOSTILE),
    ("NaN is loaded", CHECKPOINT, 'if array.dtype.kind == "f" and', "if False and", HOSTILE),
    ("overlapping tensors", CHECKPOINT, 'if entry["data_offsets"][0] != end:', "if False:", HOSTILE),
    ("a damaged checkpoint replaces the good one", CHECKPOINT, "keep=None)\n    else:", "keep=previous)\n    else:",
     "tests/test_checkpoint.py::test_a_damaged_last_never_replaces_previous"),
    ("each epoch has the same order", "jitnet/order.py", " + np.uint64(epoch)", "",
     "tests/test_training.py::test_the_shuffle_is_that_of_splitmix64"),
    ("the sum of losses is not kept", TRAINING, '"loss_sum": self.loss_sum.copy()', '"loss_sum": 0 * self.loss_sum',
     SNAPSHOT),
    ("a resume begins its epoch anew", TRAINING, "np.array([self.epoch, self.step_in_epoch, self.step]",
     "np.array([self.epoch, 0, self.step]", SNAPSHOT),
    ("bytes behind the data", CONTENT, "if len(content) > size:", "if False:", IDX),
    ("a header is believed", CONTENT, "if size > largest:", "if False:", IDX),
    ("a cache is believed", "jitnet/data/cache.py", "sha256(array) == expected", "True",
     "tests/test_data_cache.py::test_a_damaged_entry_is_made_again_with_one_warning"),
    ("names that begin well", "jitnet/runfolder/names.py", "_NAME.fullmatch(name)", "_NAME.match(name)",
     "tests/test_runfolder.py::test_bad_names_are_refused_and_nothing_is_made"),
    ("two own one run", "jitnet/runfolder/lock.py", "fcntl.LOCK_EX", "fcntl.LOCK_SH",
     "tests/test_runfolder.py::test_the_lock"),
    ("an interrupted run exits with 0", "jitnet/commands/session.py", "code = 128 + signal", "code = 0 * signal",
     "tests/test_signals.py::test_a_signal_in_each_phase"),
    ("the first signal leaves at once", "jitnet/commands/session.py", "if self.signal is None:", "if False:",
     "tests/test_signals.py::test_a_signal_in_mid_save"),
    ("a full disk exits with 0", "jitnet/commands/session.py", "1 if folder.save_failed or", "1 if",
     "tests/test_hosts.py::test_a_disk_that_is_really_full"),
    ("a step upwards", "kernels/optimizer.py", "param[i] -= lr", "param[i] += lr",
     "tests/test_optimizer.py::test_sgd_step"),
    ("the sum instead of the mean", "kernels/minibatch.py", "scale = 1.0 if rule[0].summed else 1.0 / batch.size",
     "scale = 1.0", "tests/test_minibatch.py::test_float32_follows"),
    ("no scan at the end", "kernels/minibatch.py", "return lrs.size if all_finite(params) and",
     "return lrs.size if True or", "tests/test_faults.py::test_a_bad_parameter_is_never_a_success"),
    ("shards share their gradients", "kernels/trunk.py", "grads = plan[0].shard_grads + s * size",
     "grads = plan[0].shard_grads",
     "tests/test_races.py::test_every_parallel_kernel_has_the_same_bits_under_every_schedule"),
    ("one row too many", "kernels/pooling.py", "for oy in range(H // 2):", "for oy in range(H // 2 + 1):",
     "tests/test_bounds.py::test_indexed_code_stays_inside_in_plain_python"),
    ("half of a sum is lost", "kernels/persample.py", "work[shards + at] + work[shards + plan.conv_params + at]",
     "work[shards + at]", "tests/test_persample.py::test_steps_are_those_of_naive_sgd"),
)  # fmt: skip
