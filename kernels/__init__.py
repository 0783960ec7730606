"""The kernels: pure functions of arrays, compiled by numba. They import numpy, numba, llvmlite and each other only.

Reading order
    table.py     the network as a table of records; which code computes a layer is a field of its record
    step.py      the whole training step in plain words: `jitnet train NETWORK --kernels simple` runs it
    layers/      the mathematics, one page per operation, forward next to backward
    fast/        the same results sooner; each file names the page that it replaces, and when it is chosen
    compiler/    what is about numba and LLVM, and not about networks
    tools/       the built-in digits, the augmentation of images, and the peak of a core

In fast/, bottom up: contraction, vector_rows, patches, elementwise and activation_in_place; the variants of the pages,
linear_batch_forward and linear_batch_backward (with panel and dense_pieces), linear_one_image, pool_rows,
conv_rows, conv_few_channels, conv_sparse, conv_sparse_input, conv_winograd and conv_winograd_weight (with
winograd_matrices); conv_block, one conv block of the table; then the drivers: inference and inference_groups (with
batch_conv_forward), batch (with batch_conv_backward), and per_sample (with per_sample_layers, work_split and
spin_barrier).

The rules, kept by every file here and checked by tests/project/test_structure.py:

Layout      Images are NHWC, weights (3, 3, C, OC) and (D, K), all C-contiguous, float32 to train and float64 to check.
            In fast/ the input of a convolution is in a buffer with a border of zeros, so that no kernel tests for the
            edge.
Ownership   Each item of a `prange` writes a slice that no other item touches, and sums it in a fixed order. Work is cut
            by the problem, never by the number of threads. No reduction over `prange`, no thread number.
Same bits   So the bits are the same for any number of threads and any threading layer. fast/per_sample.py keeps them
            too, although two threads share an image there: its `prange` has two items, whose index says which half of a
            phase a thread claims first. A half computes the same whichever thread claims it, and a phase begins when
            both halves of the one before are complete. So do the workers of fast/inference_groups.py, which take groups
            of images to separate slots. It and the barrier, fast/spin_barrier.py, are the users of atomics.
Regions     `prange` stands only in functions under @kernel; the functions they call are serial (@body), since a nested
            parallel region aborts the process under the workqueue layer.
Writing     Outputs are overwritten (`=`). The comment of an argument that is added to (`+=`) states it.
Shapes      Each argument has its shape in a comment. Names that mean the same everywhere are defined in table.py.
Memory      No allocation: the caller owns all buffers. No checks: jitnet checks once, with names and values.
Arithmetic  layers/ loops over plain sums. In fast/, `contract` carries the convolutions and the dense layers,
            `add_rows` and `dots_then_add` the dense layers of one image, conv_sparse.py the gradients of a convolution
            where most elements are zero. Zeros are skipped only where that is exact. No fastmath.
"""
