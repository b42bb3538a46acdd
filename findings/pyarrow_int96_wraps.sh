#!/usr/bin/env bash
# pyarrow 26.0.1: INT96 times outside the years 1677 to 2262 are read as other times, without a word.
#
# Expected: Spark, Hive and Impala write times as INT96, which hold any year; a reader that has no room for one raises, as
#   pyarrow does when it casts ("would result in out of bounds timestamp").
# Seen: INT96 is read as nanoseconds in 64 bits, and the year 9999 comes out as 1816. In microseconds
#   (coerce_int96_timestamp_unit) it comes out right.
# Why it matters here: the latest vote of a user counts. A vote dated 9999 became older than those it was to replace.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q --disable-pip-version-check pyarrow==26.0.1
cd "$folder"
env/bin/python - <<'PYTHON'
import datetime

import pyarrow as pa
import pyarrow.parquet as pq

time = datetime.datetime(9999, 12, 31)
pq.write_table(pa.table({"t": pa.array([time], pa.timestamp("us"))}), "t.parquet", use_deprecated_int96_timestamps=True)
as_it_is = pq.read_table("t.parquet")["t"].cast(pa.int64())[0].as_py() // 1000
coerced = pq.read_table("t.parquet", coerce_int96_timestamp_unit="us")["t"].cast(pa.int64())[0].as_py()
epoch = datetime.datetime(1970, 1, 1)
print("written:              ", time)
print("read:                 ", epoch + datetime.timedelta(microseconds=as_it_is))
print("read as microseconds: ", epoch + datetime.timedelta(microseconds=coerced))
assert (epoch + datetime.timedelta(microseconds=as_it_is)).year == 1816, "reads another year now"
assert epoch + datetime.timedelta(microseconds=coerced) == time
PYTHON
