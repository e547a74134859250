#![no_main]

// Panics of libraries are caught where they are called, and are no finds: the hook that ends the process at each panic goes.
// One that nobody catches still ends it.
libfuzzer_sys::fuzz_target!(init: drop(std::panic::take_hook()), |data: &[u8]| onrecord::fuzzing::archives(data));
