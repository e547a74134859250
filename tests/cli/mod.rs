//! The command line, black box: one test per flag and per bad input.
//!
//! Nearly all of them run the tiny model, which loads at once and marks spans all over a text. What it marks makes no
//! sense, but sense is not tested here: only the form of the output is.

mod evaluate;
mod export;
mod flags;
mod input;
mod model;
mod output;

use crate::support::results::{check, check_ids, check_schema, list};
use crate::support::site::{Run, Site};
