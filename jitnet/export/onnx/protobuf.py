"""The part of onnx.proto that networks need, as a table; and protocol buffers encoded and decoded by it.

A message is a dictionary from the names of its fields to their values; a field that may repeat has a list. Fields that
the table does not have are skipped when a file is read.
"""

import struct
from collections.abc import Iterator
from typing import Any

Message = dict[str, Any]

# Of each message its fields: the number, and what a value is: int, float, bytes, str or another message. In a list: it
# repeats.
MESSAGES: dict[str, dict[str, tuple[int, Any]]] = {
    "Model": {
        "ir_version": (1, int),
        "producer_name": (2, str),
        "producer_version": (3, str),
        "doc_string": (6, str),
        "graph": (7, "Graph"),
        "opset_import": (8, ["OperatorSetId"]),
        "metadata_props": (14, ["StringStringEntry"]),
    },
    "OperatorSetId": {"domain": (1, str), "version": (2, int)},
    "StringStringEntry": {"key": (1, str), "value": (2, str)},
    "Graph": {
        "node": (1, ["Node"]),
        "name": (2, str),
        "initializer": (5, ["Tensor"]),
        "input": (11, ["ValueInfo"]),
        "output": (12, ["ValueInfo"]),
        "value_info": (13, ["ValueInfo"]),
    },
    "Node": {
        "input": (1, [str]),
        "output": (2, [str]),
        "name": (3, str),
        "op_type": (4, str),
        "attribute": (5, ["Attribute"]),
        "domain": (7, str),
    },
    "Attribute": {
        "name": (1, str),
        "f": (2, float),
        "i": (3, int),
        "s": (4, bytes),
        "t": (5, "Tensor"),
        "floats": (7, [float]),
        "ints": (8, [int]),
        "type": (20, int),
    },
    "Tensor": {
        "dims": (1, [int]),
        "data_type": (2, int),
        "float_data": (4, [float]),
        "int32_data": (5, [int]),
        "int64_data": (7, [int]),
        "name": (8, str),
        "raw_data": (9, bytes),
        "data_location": (14, int),
    },
    "ValueInfo": {"name": (1, str), "type": (2, "Type")},
    "Type": {"tensor_type": (1, "Type.Tensor")},
    "Type.Tensor": {"elem_type": (1, int), "shape": (2, "TensorShape")},
    "TensorShape": {"dim": (1, ["TensorShape.Dimension"])},
    "TensorShape.Dimension": {"dim_value": (1, int), "dim_param": (2, str)},
}
_VARINT, _EIGHT_BYTES, _SIZED, _FOUR_BYTES = 0, 1, 2, 5  # wire types
_MASK = (1 << 64) - 1


def encode(kind: str, message: Message) -> bytes:
    """Return a message as bytes.

    >>> encode("OperatorSetId", {"domain": "", "version": 300}).hex(" ")
    '0a 00 10 ac 02'
    """
    parts = []
    for name, value in message.items():
        number, form = MESSAGES[kind][name]
        if isinstance(form, list) and form[0] in (int, float):  # packed
            packed = b"".join(_varint(each) if form[0] is int else struct.pack("<f", each) for each in value)
            parts += [_sized(number, packed)] if value else []
            continue
        single = form[0] if isinstance(form, list) else form
        for each in value if isinstance(form, list) else [value]:
            if single is int:
                parts += [_varint(number << 3 | _VARINT), _varint(each)]
            elif single is float:
                parts += [_varint(number << 3 | _FOUR_BYTES), struct.pack("<f", each)]
            else:
                content = each if single is bytes else each.encode() if single is str else encode(single, each)
                parts.append(_sized(number, content))
    return b"".join(parts)


def decode(kind: str, content: bytes | memoryview) -> Message:
    """Return the message in some bytes; raises `ValueError` if they are none.

    >>> decode("OperatorSetId", bytes.fromhex("0a 00 10 ac 02"))
    {'domain': '', 'version': 300}
    """
    forms = {number: (name, form) for name, (number, form) in MESSAGES[kind].items()}
    message: Message = {}
    for number, wire, raw in _fields(memoryview(content)):
        if number not in forms:
            continue
        name, form = forms[number]
        single = form[0] if isinstance(form, list) else form
        if isinstance(form, list):
            message.setdefault(name, []).extend(_values(single, wire, raw))
        else:
            (message[name],) = _values(single, wire, raw)
    return message


def _sized(number: int, content: bytes) -> bytes:
    return b"".join([_varint(number << 3 | _SIZED), _varint(len(content)), content])


def _varint(value: int) -> bytes:
    value, digits = value & _MASK, []
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])


def _fields(content: memoryview) -> Iterator[tuple[int, int, Any]]:
    """Yield the number, the wire type and the raw value of each field: an int, or bytes."""
    at = 0
    while at < len(content):
        key, at = _read_varint(content, at)
        wire = key & 7
        if wire == _VARINT:
            value, at = _read_varint(content, at)
            yield key >> 3, wire, value
            continue
        if wire == _SIZED:
            size, at = _read_varint(content, at)
        elif wire in (_FOUR_BYTES, _EIGHT_BYTES):
            size = 4 if wire == _FOUR_BYTES else 8
        else:
            raise ValueError(f"a field has the unknown wire type {wire}")
        if size > len(content) - at:
            raise ValueError("it is truncated")
        yield key >> 3, wire, content[at : at + size]
        at += size


def _read_varint(content: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            raise ValueError("it is truncated")
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & _MASK, at
    raise ValueError("a number has more than 64 bits")


def _values(form: Any, wire: int, raw: Any) -> list[Any]:
    """Return the values in a field: several if they are packed."""
    if form is int and wire == _SIZED:
        found, at = [], 0
        while at < len(raw):
            value, at = _read_varint(raw, at)
            found.append(_signed(value))
        return found
    if form is int and wire == _VARINT:
        return [_signed(raw)]
    if form is float and wire in (_SIZED, _FOUR_BYTES) and len(raw) % 4 == 0:
        return [value for (value,) in struct.iter_unpack("<f", raw)]
    if form in (int, float) or wire != _SIZED:
        raise ValueError(f"a field has the wire type {wire}, which does not fit it")
    if form is bytes:
        return [bytes(raw)]
    return [str(raw, "utf-8")] if form is str else [decode(form, raw)]


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
