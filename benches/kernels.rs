//! Every kernel on every path that this machine has, beside the register-only loops: how far each is from the peak.
//!
//!     cargo bench --features benchmarks --bench kernels [-- FILTER]
//!
//! Throughput is in multiplications with an addition (products, attention, peaks) or in values.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use onrecord::model::KernelPath;
use onrecord::model::benchmarks::{Case, kernels, peaks};

fn every_kernel(criterion: &mut Criterion) {
    for path in KernelPath::available() {
        let mut group = criterion.benchmark_group(path.to_string());
        for Case { name, work, mut run } in peaks(path).into_iter().chain(kernels(path)) {
            group.throughput(Throughput::Elements(work));
            group.bench_function(name, |bencher| bencher.iter(&mut run));
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).without_plots();
    targets = every_kernel
}
criterion_main!(benches);
