//! The finder finds what it should, and nothing else.

use super::*;

/// The circles of a crate of these files, each file with what it holds.
fn found(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let sources: Sources = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let needs = needs(&sources);
    circles(&needs).into_iter().map(|circle| circle.into_iter().map(str::to_owned).collect()).collect()
}

/// Whether two children of the root are a circle, one of which needs the other.
fn is_circle(first: &str) -> bool {
    let second = "use super::first::Thing; pub struct Other;";
    let circles = found(&[("lib.rs", "mod first; mod second;"), ("first.rs", first), ("second.rs", second)]);
    assert!(circles.is_empty() || circles == [["first.rs", "second.rs"]], "{circles:?}");
    !circles.is_empty()
}

#[test]
fn files_that_name_each_other_are_a_circle() {
    for first in [
        "use super::second::Other;",
        "use crate::second::Other as Another;",
        "use std::fmt; use super::{third::x, second::{Deep, Other}};",
        "pub(super) use super::second::Other; fn f(_: Other) {}",
        "fn f() -> super::second::Other { todo!() }",
        "fn f() { use super::second::Other; }",
        "use super::second; fn f() { second::Other::new(); }",
        "use super::second::{self}; fn f() { second::other() }",
        "impl From<crate::second::Other> for Thing {}",
        "macro_rules! m { () => { $crate::second::Other } }",
        "fn f() { println!(\"{}\", super::second::NAME); }",
        "mod inner { use super::super::second::Other; }",
        "#[cfg(feature = \"batch\")] use super::second::Other;",
        "#[cfg(not(test))] use super::second::Other;",
        "#[cfg(test)] use std::fmt::{self, Debug}; use super::second::Other;",
        "#[cfg(test)] mod tests { fn f() {} } use super::second::Other;",
        "#[derive(Debug)] struct Thing { other: super::second::Other }",
    ] {
        assert!(is_circle(first), "{first}");
    }
}

#[test]
fn what_names_no_file_is_no_need() {
    for first in [
        "",
        "// use super::second::Other;\n/// [`super::second::Other`]\npub struct Thing;",
        "const TEXT: &str = \"use super::second::Other;\";",
        "use super::second;",
        "pub use super::second::Other;",
        "pub(in crate::second) struct Thing;",
        "use second::Other;",
        "use ::second::Other;",
        "fn f(thing: Thing) { thing.second::<u8>(); Vec::<u8>::second(); Second::Other; }",
        "#[cfg(test)] mod tests { use crate::second::Other; }",
        "#[cfg(test)] use super::second::{Deep, Other};",
        "#[cfg(any(test, feature = \"fuzzing\"))] pub mod fuzzing { use crate::second::Other; }",
        "#[cfg(all(test, unix))] fn f() { super::second::other() }",
        "#[cfg(test)] #[allow(unused)] fn f(_: super::second::Other) {}",
    ] {
        assert!(!is_circle(first), "{first}");
    }
}

#[test]
fn a_circle_may_lead_through_others() {
    let circles = found(&[
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use super::b::B;"),
        ("b.rs", "use super::c::C;"),
        ("c.rs", "use super::a::A; use super::d::D;"),
        ("d.rs", ""),
    ]);
    assert_eq!(circles, [["a.rs", "b.rs", "c.rs"]]);
}

#[test]
fn a_parent_that_hands_on_is_no_part_of_a_circle() {
    let child = "use super::Failure; pub struct Thing;";
    let circles = |parent: &str| {
        let parent = format!("mod child; pub struct Failure; {parent}");
        found(&[("lib.rs", "pub mod room;"), ("room/mod.rs", &parent), ("room/child.rs", child)])
    };
    assert!(circles("pub use child::Thing;").is_empty());
    assert!(circles("pub use child::{Thing as Other}; struct Thing;").is_empty());
    let circle = [["room/child.rs", "room/mod.rs"]];
    assert_eq!(circles("pub use child::Thing; fn f(_: &Thing) {}"), circle);
    assert_eq!(circles("pub use child::Thing as Other; fn f(_: &Other) {}"), circle);
    assert_eq!(circles("use child::Thing;"), circle);
    assert_eq!(circles("fn f() { child::f() }"), circle);
}

#[test]
fn names_that_are_handed_on_lead_to_where_they_are_defined() {
    let room = "mod a; mod b; pub use a::{A, A as Same}; pub use b::B;";
    let circles = |a: &str, b: &str| {
        let files = [("lib.rs", "pub mod room; pub use room::A;"), ("room/mod.rs", room)];
        found(&[&files[..], &[("room/a.rs", a), ("room/b.rs", b)]].concat())
    };
    let circle = [["room/a.rs", "room/b.rs"]];
    assert_eq!(circles("use super::B;", "use super::Same;"), circle);
    assert_eq!(circles("use crate::room::B;", "fn f() -> crate::A { A }"), circle);
    assert!(circles("use super::B;", "use super::C;").is_empty());
}

#[test]
fn names_of_other_crates_lead_nowhere() {
    let first = "use tracing::{self, info}; use rayon; fn f() { tracing::info::x(); rayon::join::y(); }";
    assert!(!is_circle(first));
}

#[test]
#[should_panic(expected = "first.rs imports with a star")]
fn stars_are_refused() {
    is_circle("use std::arch::*; use super::second::*;");
}
