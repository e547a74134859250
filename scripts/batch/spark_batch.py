#!/usr/bin/env python3
"""Extracts from Parquet on a Spark cluster, into Parquet.

    spark-submit [FLAGS OF SPARK] spark_batch.py INPUT... --output DIR [FLAGS]

DIR/results holds the rows that `onrecord batch` would write, DIR/errors a row (id, error) for each document that
failed; Spark puts _SUCCESS beside them when they are complete. Each task has the model, and as many threads as
`spark.task.cpus` says. Every node needs Python with `pip install 'onrecord[arrow]' pyspark`. docs/clusters.md tells more.

Example, on this machine with two tasks at a time:

    spark-submit --master 'local[2]' scripts/batch/spark_batch.py articles --output found
"""

import pyarrow
from onrecord import Extractor
from pyspark import StorageLevel
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

import options


def main():
    arguments = options.parser(__doc__).parse_args()
    columns, extractor = options.column_options(arguments), options.extractor_options(arguments)
    spark = SparkSession.builder.appName("onrecord").getOrCreate()
    extractor["threads"] = int(spark.conf.get("spark.task.cpus", "1"))
    documents = spark.read.parquet(*arguments.inputs).select(options.columns_read(columns))

    # No rows are enough to learn the columns from, and to be told of what does not fit before the cluster is busy.
    nothing = pyarrow.RecordBatch.from_pylist([], schema=to_arrow_schema(documents.schema))
    schema = Extractor(**extractor).extract_batch(nothing, **columns).schema

    def extract(batches):
        own = Extractor(**extractor)
        for batch in batches:
            yield own.extract_batch(batch, **columns)

    # Kept on the disks of the nodes, because two outputs are written of it, and it is costly to make.
    found = documents.mapInArrow(extract, from_arrow_schema(schema)).persist(StorageLevel.DISK_ONLY)
    found.where("error IS NULL").drop("error").write.parquet(f"{arguments.output}/results", compression="zstd")
    found.where("error IS NOT NULL").select("id", "error").write.parquet(f"{arguments.output}/errors")
    spark.stop()


if __name__ == "__main__":
    main()
