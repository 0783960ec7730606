"""One vector register in LLVM IR: what simd.py and the other files simd_*.py are written with.

`<16 x float>` in the IR always becomes a 512-bit register where there is one; LLVM's own vectoriser would stop at 256
bits on most AVX-512 machines. Loads and stores are aligned to the element, since numpy promises no more.
"""

from llvmlite import ir
from numba.core import cgutils

from .tile import SCALES, VECTOR_BYTES

BYTE = ir.IntType(8)
INT32 = ir.IntType(32)
INT64 = ir.IntType(64)


def constant(value):
    """Return an i64 constant."""
    return ir.Constant(INT64, value)


def at(builder, pointer, *steps):
    """Return the byte pointer moved by the sum of index * stride over (index, stride in bytes) pairs."""
    pointer = builder.bitcast(pointer, BYTE.as_pointer())
    for index, stride in steps:
        pointer = builder.gep(pointer, [builder.mul(index, stride)])
    return pointer


def opaque(builder, value):
    """Return a pointer or an integer of which LLVM cannot know how it was computed, if that makes better loops."""
    if not SCALES:
        return value
    same = ir.InlineAsm(ir.FunctionType(value.type, [value.type]), "", "=r,0")
    return builder.call(same, [value])


def multiples_of(builder, stride, count):
    """Return 0, 1, .. count-1 times a stride: odd ones in registers, even ones by an addressing mode of those.

    On x86 LLVM would add the stride again and again, in the place of multiply-adds, or keep all pointers on the stack:
    the loop of a tile of 6 rows by 2 vectors has 23 instructions for 12 multiply-adds in this way instead of 28.
    """
    odd = {n: opaque(builder, builder.mul(stride, constant(n))) for n in range(1, count, 2)}
    twos = [(n & -n).bit_length() - 1 for n in range(1, count)]
    return [constant(0), *(builder.shl(odd[n >> two], constant(two)) for n, two in enumerate(twos, 1))]


FIRST_CACHE, SECOND_CACHE = 3, 2  # how near LLVM is told to fetch


def fetch(builder, pointer, cache):
    """Fetch the cache line of a place that is read soon; outside of memory it does nothing."""
    line = builder.bitcast(pointer, BYTE.as_pointer())
    arguments = [line, *(ir.Constant(INT32, n) for n in (0, cache, 1))]  # to read; data
    kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0"), arguments)


def emit_for_count(builder, count, most, name, emit):
    """Emit one block per m from 1 to `most` by `emit(m)`, and at run time enter that of m = count; no other count."""
    done = builder.append_basic_block(f"{name}.done")
    switch = builder.switch(count, done)
    for m in range(1, most + 1):
        block = builder.append_basic_block(f"{name}{m}")
        switch.add_case(constant(m), block)
        with builder.goto_block(block):
            emit(m)
            builder.branch(done)
    builder.position_at_end(done)


class Lanes:
    """Emits operations on vectors of one element type (float32 or float64) into a builder."""

    def __init__(self, builder, dtype, count=None):
        self.builder = builder
        self.itemsize = dtype.bitwidth // 8
        self.count = count or VECTOR_BYTES // self.itemsize
        self.element = ir.FloatType() if self.itemsize == 4 else ir.DoubleType()
        self.vector = ir.VectorType(self.element, self.count)
        self.zeros = ir.Constant(self.vector, [0.0] * self.count)
        self.size = constant(self.itemsize)
        self.bytes = ir.VectorType(BYTE, self.count)
        self._suffix = f"v{self.count}f{8 * self.itemsize}"
        self._masks = ir.VectorType(ir.IntType(1), self.count)

    def _call(self, name, result, *arguments):
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), arguments)

    def _repeat(self, value):
        many = ir.VectorType(value.type, self.count)
        one = self.builder.insert_element(ir.Constant(many, ir.Undefined), value, ir.Constant(INT32, 0))
        return self.builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(INT32, self.count), [0] * self.count))

    def splat(self, value):
        """Return a vector with the scalar in every lane."""
        return self._repeat(value)

    def scalar(self, pointer):
        """Load one element."""
        return self.builder.load(self.builder.bitcast(pointer, self.element.as_pointer()), align=self.itemsize)

    def first(self, count):
        """Return the mask of the lanes below `count` (i64)."""
        lanes = ir.Constant(ir.VectorType(INT32, self.count), list(range(self.count)))
        return self.builder.icmp_signed("<", lanes, self._repeat(self.builder.trunc(count, INT32)))

    def load(self, pointer, mask=None):
        """Load a vector; lanes outside the mask are 0 and are not touched in memory."""
        pointer = self.builder.bitcast(pointer, self.vector.as_pointer())
        if mask is None:
            return self.builder.load(pointer, align=self.itemsize)
        align = ir.Constant(INT32, self.itemsize)
        return self._call(f"llvm.masked.load.{self._suffix}.p0", self.vector, pointer, align, mask, self.zeros)

    def store(self, value, pointer, mask=None):
        """Store a vector; lanes outside the mask are not touched in memory."""
        pointer = self.builder.bitcast(pointer, self.vector.as_pointer())
        if mask is None:
            self.builder.store(value, pointer, align=self.itemsize)
        else:
            align = ir.Constant(INT32, self.itemsize)
            self._call(f"llvm.masked.store.{self._suffix}.p0", ir.VoidType(), value, pointer, align, mask)

    def load_bytes(self, pointer, mask=None):
        """Load bytes; those outside the mask are 0 and are not touched in memory."""
        pointer = self.builder.bitcast(pointer, self.bytes.as_pointer())
        if mask is None:
            return self.builder.load(pointer, align=1)
        zeros = ir.Constant(self.bytes, [0] * self.count)
        name = f"llvm.masked.load.v{self.count}i8.p0"
        return self._call(name, self.bytes, pointer, ir.Constant(INT32, 1), mask, zeros)

    def store_bytes(self, value, pointer, mask=None):
        """Store bytes; those outside the mask are not touched in memory."""
        pointer = self.builder.bitcast(pointer, self.bytes.as_pointer())
        if mask is None:
            self.builder.store(value, pointer, align=1)
        else:
            name = f"llvm.masked.store.v{self.count}i8.p0"
            self._call(name, ir.VoidType(), value, pointer, ir.Constant(INT32, 1), mask)

    def fma(self, a, b, c):
        """Return a * b + c, rounded once."""
        return self._call(f"llvm.fma.{self._suffix}", self.vector, a, b, c)

    def shuffle(self, a, b, indices):
        """Return the lanes of a (0 ..) and b (count ..) that `indices` name."""
        return self.builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(INT32, len(indices)), indices))

    def sum(self, value):
        """Return the sum of the lanes, folded in halves: a fixed order."""
        count = self.count
        while count > 1:
            count //= 2
            folded = list(range(count, 2 * count)) + list(range(count, self.count))
            value = self.builder.fadd(value, self.shuffle(value, value, folded))
        return self.builder.extract_element(value, ir.Constant(INT32, 0))
