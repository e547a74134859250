//! All black-box tests in one binary: each test binary embeds the model, so one is enough.

mod cli;
mod goldens;
mod loading;
mod parity;
mod support;
mod windows;
