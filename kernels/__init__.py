"""The kernels: pure functions of arrays, compiled by numba. They import numpy, numba, llvmlite and each other only.

The rules, kept by every file here and checked by tests/project/test_structure.py:

Layout      Images are NHWC, weights (3, 3, C, OC) and (D, K), all C-contiguous, float32 to train and float64 to check.
            A convolution's input lies in a buffer with a border of zeros, so that no kernel asks where the edge is.
Ownership   Each item of a `prange` writes a slice that no other item touches, and sums it in a fixed order. Work is cut
            by the problem, never by the number of threads. No atomics, no reduction over `prange`, no thread id. So the
            bits are the same for any number of threads and any threading layer.
Regions     `prange` stands only in functions under @kernel; the bodies they share are serial (@body), since a nested
            parallel region aborts the process under the workqueue layer.
Writing     Outputs are overwritten (`=`). What is added to (`+=`) says so beside the argument.
Memory      No allocation: the caller owns all buffers. No checks: jitnet checks once, with names and values.
Arithmetic  `contract` (contract.py) carries the convolutions and the dense layers, `add_rows` and `dot_then_add`
            (rows.py) the dense layers of one image, sparse.py the gradients of a convolution where most numbers are
            zero. Zeros are skipped only where that is exact. No fastmath.

From the bottom up: options, lanes, plain, vectors, views, primitive, contract, rows; the network as a table: layers;
then one file per operation: convolution, pooling, sparse, activation, dense, loss, optimizer; then blocks, one row of
the table, and the two drivers, persample and minibatch. synthetic draws digits. The drivers call the serial bodies; the
parallel kernel of each operation is the same body over a batch, for tests, benchmarks and readers.
"""
