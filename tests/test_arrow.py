"""Conversions without pandas do what pyarrow's own do."""

import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from plant_aggregate.arrow import bytes_of, dtype_of, fill_null, scalar, strings, strings_of, to_arrow, to_numpy

NUMBERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"]
TIMES = ["datetime64[s]", "datetime64[ms]", "datetime64[us]", "datetime64[ns]", "timedelta64[us]"]
ARRAYS = st.sampled_from(["bool", *NUMBERS, *TIMES]).flatmap(lambda name: npst.arrays(name, st.integers(0, 40)))
TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=20)


def sides(data: st.DataObject, n: int) -> tuple[int, int]:
    first = data.draw(st.integers(0, n))
    return first, data.draw(st.integers(first, n))


def no_time(values: Any) -> Any:
    return np.isnat(values) if values.dtype.kind in "mM" else np.zeros(values.size, np.bool_)


def same(one: Any, other: Any) -> None:
    assert one.dtype == other.dtype
    assert one.tobytes() == np.ascontiguousarray(other).tobytes()


def nat(values: Any) -> Any:
    """No time, in the unit of these: one without a unit is on its way out of NumPy."""
    return np.array("NaT", values.dtype)[()]


@given(ARRAYS, st.data())
def test_to_numpy_is_what_pyarrow_makes_of_a_slice(values: Any, data: st.DataObject) -> None:
    first, last = sides(data, values.size)
    array = pa.array(values)[first:last]
    stand_in = nat(values) if array.null_count else None
    same(to_numpy(array, null=stand_in), array.to_numpy(zero_copy_only=False))
    same(to_numpy(array, null=stand_in), values[first:last])


@given(ARRAYS, st.data())
def test_to_numpy_of_chunks(values: Any, data: st.DataObject) -> None:
    first, last = sides(data, values.size)
    array = pa.array(values)
    parts = [array[:first], array[first:last], array[last:]][: data.draw(st.integers(0, 3))]
    chunked = pa.chunked_array(parts, array.type)
    same(to_numpy(chunked, null=nat(values) if chunked.null_count else None), chunked.to_numpy())


@given(ARRAYS, st.data())
def test_nulls_become_what_stands_for_them(values: Any, data: st.DataObject) -> None:
    null = data.draw(npst.arrays(np.bool_, values.size)) | no_time(values)
    first, last = sides(data, values.size)
    array = pa.array(values, mask=null)[first:last]
    stand_in = np.zeros(1, values.dtype)[0]
    same(to_numpy(array, null=stand_in), np.where(null, stand_in, values)[first:last])
    same(to_numpy(array.is_null()), null[first:last])
    if array.null_count:
        with pytest.raises(ValueError, match=f"{array.null_count} nulls"):
            to_numpy(array)
    else:
        same(to_numpy(array), values[first:last])


@given(ARRAYS, st.integers(1, 3), st.data())
def test_to_arrow_is_what_pyarrow_makes(values: Any, step: int, data: st.DataObject) -> None:
    values = values[::step]
    null = data.draw(npst.arrays(np.bool_, values.size))
    whole, holed = to_arrow(values), to_arrow(values, null=null)
    for made, expected in [(whole, pa.array(values)), (holed, pa.array(values, mask=null | no_time(values)))]:
        made.validate(full=True)
        assert made.type == expected.type
        assert made.null_count == expected.null_count
        assert made.is_valid().equals(expected.is_valid())
        same(to_numpy(made.drop_null()), to_numpy(expected.drop_null()))


@given(TEXTS, st.data())
def test_strings_are_what_pyarrow_makes(texts: list[str], data: st.DataObject) -> None:
    holed = [data.draw(st.sampled_from([text, None])) for text in texts]
    for some in (texts, holed):
        made = strings(some)
        made.validate(full=True)
        assert made.equals(pa.array(some, pa.string()))


@given(TEXTS, st.sampled_from([pa.string(), pa.large_string()]), st.data())
def test_bytes_of_a_slice_of_strings(texts: list[str], kind: pa.DataType, data: st.DataObject) -> None:
    holed = [data.draw(st.sampled_from([text, None])) for text in texts]
    first, last = sides(data, len(texts))
    bytes_, offsets = bytes_of(pa.array(holed, kind)[first:last])
    encoded = [(text or "").encode() for text in holed[first:last]]
    assert bytes_.tobytes() == b"".join(encoded)
    assert np.diff(offsets).tolist() == [len(text) for text in encoded]
    assert offsets[0] == 0
    assert strings_of(bytes_, offsets).to_pylist() == [text or "" for text in holed[first:last]]


def test_bytes_under_a_null_are_not_part_of_a_text() -> None:
    buffers = [pa.py_buffer(bytes([0b101])), pa.py_buffer(np.array([0, 1, 3, 4], np.int32)), pa.py_buffer(b"axxb")]
    data, offsets = bytes_of(pa.Array.from_buffers(pa.string(), 3, buffers))
    assert data.tobytes() == b"ab"
    assert offsets.tolist() == [0, 1, 1, 2]


@pytest.mark.parametrize(
    "array", [pa.array([], pa.int32()), pa.array([], pa.bool_()), pa.chunked_array([], pa.float64())]
)
def test_empty_arrays(array: Any) -> None:
    same(to_numpy(array), array.to_numpy(zero_copy_only=False) if isinstance(array, pa.Array) else array.to_numpy())


def test_numbers_are_not_copied_and_cannot_be_written_to() -> None:
    values = np.arange(3)
    there_and_back = to_numpy(to_arrow(values))
    assert np.shares_memory(values, there_and_back)
    assert not there_and_back.flags.writeable
    assert not to_numpy(pc.add(to_arrow(values), to_arrow(values))).flags.writeable


@pytest.mark.parametrize("name", [*NUMBERS, "string", "large_string", "bool_"])
def test_scalars_of_a_type(name: str) -> None:
    kind = getattr(pa, name)()
    value: Any = "x" if "string" in name else name == "bool_" or 1
    assert scalar(value, kind).equals(pa.array([value], kind)[0] if name != "float16" else pa.scalar(np.float16(1)))
    assert scalar(None, kind).equals(pa.scalar(None, kind))
    if name == "float16":
        return
    array = pa.array([None, value], kind)
    assert fill_null(array, value).to_pylist() == [value, value]
    assert fill_null(pa.chunked_array([array]), value).to_pylist() == [value, value]


@pytest.mark.parametrize("value", [1, 2**63, -1, 1.5, True, "x", "", None])
def test_scalars(value: Any) -> None:
    made = scalar(value)
    assert made.as_py() == value
    assert made.type == (pa.uint64() if value == 2**63 else pa.scalar(value).type)


@pytest.mark.parametrize(("value", "kind"), [(300, pa.int8()), (-1, pa.uint64()), (1.5, pa.int32())])
def test_a_scalar_that_a_type_cannot_hold(value: Any, kind: pa.DataType) -> None:
    with pytest.raises(pa.ArrowInvalid):
        scalar(value, kind)


@pytest.mark.parametrize("kind", [pa.string(), pa.null(), pa.list_(pa.int8()), pa.dictionary(pa.int8(), pa.string())])
def test_types_without_a_dtype(kind: pa.DataType) -> None:
    with pytest.raises(TypeError, match="no dtype"):
        dtype_of(kind)


def test_none_of_it_loads_pandas() -> None:
    code = """if True:
        import sys
        import numpy as np, pyarrow as pa
        from plant_aggregate.arrow import bytes_of, fill_null, scalar, strings, to_arrow, to_numpy
        for name in ["int8", "float16", "bool", "datetime64[us]"]:
            values = to_arrow(np.zeros(3, name), null=np.array([True, False, True]))
            to_numpy(values, null=np.zeros(1, name)[0])
            to_numpy(pa.chunked_array([values.is_valid(), values.is_null()]))
        bytes_of(fill_null(strings(["a", None]), "b"))
        fill_null(to_arrow(np.arange(3), null=np.arange(3) < 2), 7)
        scalar(1), scalar("x"), scalar(None, pa.int8()), scalar(1.5, pa.float16()), scalar(True)
        sys.exit("pandas" in sys.modules)
    """
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
