#!/usr/bin/env python3
"""Extracts from Parquet on a Ray cluster, into Parquet.

    ray_batch.py INPUT... --output DIR [--actors N] [--threads N] [--address ADDRESS | --cpus N] [FLAGS]

DIR/results holds the rows that `onrecord batch` would write, DIR/errors a row (id, error) for each document that
failed, and DIR/_SUCCESS says that both are complete. Rows are in no order. Every node needs Python with
`pip install 'onrecord[arrow]' 'ray[data]'`; actors and tasks that die are started again. docs/clusters.md tells more.

Example, on this machine with four cores:

    scripts/batch/ray_batch.py articles --output found --cpus 4 --actors 2
"""

import os

import pyarrow
import pyarrow.compute
import pyarrow.fs
import pyarrow.parquet
import ray
from onrecord import Extractor

import options

def everywhere(path):
    """A path that means the same in every process."""
    return path if "://" in path else os.path.abspath(path)


class Extract:
    """An actor with the model, which it loads once."""

    def __init__(self, extractor, columns):
        self.extractor = Extractor(**extractor)
        self.columns = columns

    def __call__(self, rows):
        return pyarrow.Table.from_batches([self.extractor.extract_batch(rows, **self.columns)])


class Parts(ray.data.Datasink):
    """Writes results and errors apart. A part is called by the number of its task, so that a task that is done again
    writes it again, and nothing twice."""

    def __init__(self, output, rows_per_part):
        self.filesystem, self.path = pyarrow.fs.FileSystem.from_uri(everywhere(output))
        self.rows_per_part = rows_per_part

    @property
    def min_rows_per_write(self):
        return self.rows_per_part

    def write(self, blocks, ctx):
        found = pyarrow.concat_tables(pyarrow.table(block) for block in blocks)
        failed = pyarrow.compute.is_valid(found["error"])
        results = found.filter(pyarrow.compute.invert(failed)).drop_columns("error")
        errors = found.filter(failed).select(["id", "error"])
        self._write("results", ctx.task_idx, results)
        if len(errors):
            self._write("errors", ctx.task_idx, errors)
        return len(results), len(errors)

    def _write(self, folder, number, rows):
        path = f"{self.path}/{folder}/part-{number:06}.parquet"
        with self.filesystem.open_output_stream(f"{path}.partial") as file:
            pyarrow.parquet.write_table(rows, file, compression="zstd")
        self.filesystem.move(f"{path}.partial", path)

    def begin(self):
        """Makes the directories; what is there already is not touched."""
        there = self.filesystem.get_file_info(pyarrow.fs.FileSelector(self.path, allow_not_found=True))
        if there:
            raise SystemExit(f"{self.path} is not empty: name another directory")
        for folder in ["results", "errors"]:
            self.filesystem.create_dir(f"{self.path}/{folder}")

    def on_write_complete(self, write_result):
        with self.filesystem.open_output_stream(f"{self.path}/_SUCCESS"):
            pass
        parts = write_result.write_returns
        results, errors = (sum(part[place] for part in parts) for place in [0, 1])
        print(f"{results} documents in {len(parts)} parts, {errors} failed", flush=True)


def main():
    flags = options.parser(__doc__)
    flags.add_argument("--address", help="a Ray cluster; without it, one is started on this machine")
    flags.add_argument("--cpus", type=int, help="cores that a cluster on this machine has for Ray [all]")
    flags.add_argument("--actors", type=int, help="how many have the model [all cores but one, by threads]")
    flags.add_argument("--threads", type=int, default=1, help="cores and worker threads of an actor [1]")
    # Enough to fill its cores, and little to do again when it dies.
    flags.add_argument("--rows-together", type=int, default=256, help="rows that an actor takes at a time [256]")
    flags.add_argument("--rows-per-part", type=int, default=10_000, help="rows of a part, about [10000]")
    arguments = flags.parse_args()
    columns = options.column_options(arguments)

    here = {} if arguments.address else {"num_cpus": arguments.cpus, "include_dashboard": False}
    ray.init(address=arguments.address, **here)
    cores = int(ray.cluster_resources().get("CPU", 0))
    actors = arguments.actors or max(1, (cores - 1) // arguments.threads)
    if actors * arguments.threads >= cores:
        raise SystemExit(
            f"{actors} actors with {arguments.threads} threads each leave none of {cores} cores to read and write with: "
            "ask for fewer, or tell Ray of more with --cpus"
        )
    parts = Parts(arguments.output, arguments.rows_per_part)
    parts.begin()
    inputs = [everywhere(path) for path in arguments.inputs]
    documents = ray.data.read_parquet(inputs, columns=options.columns_read(columns))
    # What is read together, up to 128 MiB, would be half an hour's work for one actor, and none for the others.
    found = documents.repartition(target_num_rows_per_block=arguments.rows_together).map_batches(
        Extract,
        fn_constructor_args=[options.extractor_options(arguments) | {"threads": arguments.threads}, columns],
        batch_format="pyarrow",
        batch_size=arguments.rows_together,
        compute=ray.data.ActorPoolStrategy(size=actors),
        num_cpus=arguments.threads,
        max_restarts=-1,
        max_task_retries=-1,
    )
    found.write_datasink(parts)


if __name__ == "__main__":
    main()
