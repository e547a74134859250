//! The command line, black box.
