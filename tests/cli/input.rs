//! Good and bad documents: each bad one costs its own error, in its place, and nobody else's result.

use serde_json::{Value, json};

use super::{Run, Site, check, check_schema, list};

/// Texts that tokenizers and offset arithmetic stumble over.
const ODD_TEXTS: [(&str, &str); 7] = [
    ("emoji.txt", "🚂🇫🇷 “Trains 👩🏽‍🚒 run,” said Zoë Ŝmit 🦀 in Z\u{fc}rich. She e\u{301}xpects 🎉 more 🚂 by May."),
    ("hebrew.txt", "שרה כהן said: \u{202b}“שלום לכולם”\u{202c} on Monday. محمد علي told Reuters that he agreed."),
    ("windows.txt", "Ada Byron spoke.\r\n\r\n“We will go,” she said,\r\n“but not today.”\r\n\r\nNobody answered.\r\n"),
    ("bom.txt", "\u{feff}Ada Byron said that the bridge at Pellworth was safe."),
    ("nul.txt", "Ada\0 Byron said\0 the \0bridge at Pell\0worth was safe.\0"),
    ("special.txt", "[CLS] Ada [MASK] said: “[SEP] [PAD] [UNK] is safe,” [SEP] [CLS] [MASK] and ##ed left [MASK]."),
    ("wide.txt", "中国 said 北京 was ready.\u{2028}\u{a0}ﬁre İstanbul ẞtraße \u{1d54f}\u{1d54f} said so\u{200b}too."),
];

#[test]
fn odd_texts_have_exact_slices_in_every_unit() {
    let site = Site::new();
    ODD_TEXTS.iter().for_each(|(name, text)| site.write(name, text));
    let names = ODD_TEXTS.map(|(name, _)| name);
    let mut texts_by_unit = Vec::new();
    for unit in ["byte", "codepoint", "utf16"] {
        let run = site.extract(&[&names[..], &["--offset-unit", unit]].concat());
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        let results = run.lines();
        assert_eq!(results.len(), names.len());
        for ((name, text), result) in ODD_TEXTS.iter().zip(&results) {
            assert_eq!((&result["id"], &result["offset_unit"]), (&json!(name), &json!(unit)));
            assert!(check(result, text) > 0, "nothing to check in {name}: {result}");
        }
        let entities = results.iter().flat_map(|result| list(result, "entities"));
        texts_by_unit.push(entities.map(|entity| entity["text"].clone()).collect::<Vec<Value>>());
    }
    assert_eq!(texts_by_unit[0], texts_by_unit[1]);
    assert_eq!(texts_by_unit[0], texts_by_unit[2]);
}

#[test]
fn a_bad_text_file_costs_only_its_own_result() {
    let site = Site::new();
    let good = "Ada Byron said hello.";
    for (name, bytes) in [
        ("good.txt", good.as_bytes()),
        ("latin1.txt", b"caf\xe9 owner said no"),
        ("utf16.txt", b"\xff\xfeA\0d\0a\0"),
        ("empty.txt", b""),
        ("blank.txt", " \r\n\t\u{2028}\u{a0}".as_bytes()),
        ("full.txt", &[b'a'; 60]),
        ("large.txt", &[b'a'; 61]),
        ("folder/inside.txt", b"x"),
        ("good too.txt", good.as_bytes()),
    ] {
        site.write(name, bytes);
    }
    let expected = [
        ("good.txt", None),
        ("latin1.txt", Some("invalid_utf8")),
        ("utf16.txt", Some("invalid_utf8")),
        ("empty.txt", Some("empty_document")),
        ("blank.txt", Some("empty_document")),
        ("full.txt", None),
        ("large.txt", Some("document_too_large")),
        ("missing.txt", Some("unreadable")),
        ("missing.jsonl", Some("unreadable")),
        ("folder", Some("unreadable")),
        ("good too.txt", None),
    ];
    let names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    let run = site.extract(&[&names[..], &["--max-document-bytes", "60"]].concat());
    assert_eq!(run.code, 1);
    let lines = run.lines();
    assert_eq!(lines.len(), expected.len());
    for ((name, code), line) in expected.iter().zip(&lines) {
        check_schema(line);
        assert_eq!(line["id"], *name);
        let Some(code) = code else { continue };
        assert_eq!((&line["error"]["code"], &line["line"]), (&json!(code), &Value::Null));
        let message = line["error"]["message"].as_str().expect("a message is a string");
        assert!(run.stderr.contains(&format!("onrecord: {name}: {message}\n")), "{}", run.stderr);
    }
    check(&lines[0], good);
    assert_eq!(run.stderr.lines().count(), 8, "{}", run.stderr);
    for said in ["at byte 3", "No such file", "it is a directory", "--max-document-bytes"] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
}

/// A line of JSON Lines and what comes of it: the id of a result, or the code of an error and the id, if any.
type Case = (Vec<u8>, Result<&'static str, (&'static str, Option<&'static str>)>);

fn cases() -> Vec<Case> {
    let document = |id: &str, length: usize| format!(r#"{{"id":"{id}","text":"{}"}}"#, "a".repeat(length));
    let invalid = |id| Err(("invalid_json", id));
    let cases: [(&[u8], _); 30] = [
        (b"\xef\xbb\xbf{\"id\":\"with a BOM\",\"text\":\"Ada Byron said hello.\"}", Ok("with a BOM")),
        (b"{\"id\":\"CRLF\",\"text\":\"Ada Byron\\r\\nsaid hello.\"}\r", Ok("CRLF")),
        (br#"{"id":"NUL","text":"Ada\u0000 Byron said \u0000hello."}"#, Ok("NUL")),
        (br#"{"text":"Ada Byron said hello."}"#, Ok("news.jsonl:4")),
        (br#"{"id":12,"text":"Ada Byron said hello."}"#, Ok("12")),
        (br#"{"extra":{"a":[1]},"text":"Ada Byron said hello.","id":null}"#, Ok("news.jsonl:6")),
        (br#"{"id":"cut short","text":"Ada By"#, invalid(None)),
        (br#" {"id":"eight","text":"Ada Byron said \ud83d\ude82 hello."}"#, Ok("eight")),
        (br#"{"id":"no text"}"#, invalid(Some("no text"))),
        (br#"{"id":"text is null","text":null}"#, invalid(Some("text is null"))),
        (br#"{"id":"text is a number","text":5}"#, invalid(Some("text is a number"))),
        (br#"{"id":["a list"],"text":"Ada Byron said hello."}"#, invalid(None)),
        (br#"{"id":"two texts","text":"one","text":"two"}"#, invalid(None)),
        (br#"{"id":"half a character","text":"\ud83d!"}"#, invalid(None)),
        (br#"["an array","Ada Byron said hello."]"#, invalid(None)),
        (b"null", invalid(None)),
        (b"Ada Byron said hello.", invalid(None)),
        (b"{\"id\":\"Latin 1\",\"text\":\"caf\xe9\"}", Err(("invalid_utf8", None))),
        (br#"{"id":"empty","text":""}"#, Err(("empty_document", Some("empty")))),
        (br#"{"text":" \n\u2028"}"#, Err(("empty_document", None))),
        (&document("full", 100).into_bytes(), Ok("full")),
        (&document("large", 101).into_bytes(), Err(("document_too_large", Some("large")))),
        // So long that it is passed over without being kept.
        (&document("huge", 100_000).into_bytes(), Err(("document_too_large", None))),
        (br#"{"id":"CRLF","text":"The id came before."}"#, Ok("CRLF")),
        (br#"{"id":"","text":"The id is empty."}"#, Ok("")),
        (br#"{"id":18446744073709551616,"text":"Its digits stay."}"#, Ok("18446744073709551616")),
        (br#"{"id":18446744073709551617,"text":"So do these."}"#, Ok("18446744073709551617")),
        (br#"{"id": 1e2 ,"text":"And these."}"#, Ok("1e2")),
        (br#"{"id":"two ids","id":"two ids","text":"x"}"#, invalid(None)),
        (br#"{"id":"last","text":"No line end follows."}"#, Ok("last")),
    ];
    cases.into_iter().map(|(line, result)| (line.to_vec(), result)).collect()
}

#[test]
fn a_bad_line_costs_only_its_own_result() {
    let site = Site::new();
    let cases = cases();
    let input: Vec<Vec<u8>> = cases.iter().map(|(line, _)| line.clone()).collect();
    site.write("news.jsonl", input.join(&b'\n'));
    let run = site.extract(&["news.jsonl", "--max-document-bytes", "100"]);
    assert_eq!(run.code, 1);
    let lines = run.lines();
    assert_eq!(lines.len(), cases.len());
    for (index, ((input, expected), line)) in cases.iter().zip(&lines).enumerate() {
        let number = index + 1;
        match expected {
            Ok(id) => {
                assert_eq!(line["id"], *id);
                let input = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
                let input: Value = serde_json::from_slice(input).expect("a good line is JSON");
                check(line, input["text"].as_str().expect("it has a text"));
                let warnings = list(line, "warnings");
                assert_eq!(warnings.len(), usize::from(number == 24), "line {number}: {warnings:?}");
            }
            Err((code, id)) => {
                check_schema(line);
                assert_eq!((&line["error"]["code"], &line["id"]), (&json!(code), &json!(id)), "line {number}");
                assert_eq!(line["line"], number);
                let message = line["error"]["message"].as_str().expect("a message is a string");
                assert!(!message.contains("line 1"), "serde_json counts lines otherwise: {message}");
                assert!(run.stderr.contains(&format!("news.jsonl:{number}: {message}\n")), "{}", run.stderr);
            }
        }
    }
    assert!(run.stderr.contains("news.jsonl:24: the id \"CRLF\" occurs more than once"), "{}", run.stderr);
    for said in [
        "its \"text\" is a number",
        "its \"id\" is an array",
        "it is not a JSON object",
        "it has no \"text\"",
        "\"id\" comes twice",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
}

#[test]
fn a_repeated_id_is_a_warning() {
    let site = Site::new();
    site.write("a.txt", "Ada Byron said hello.");
    let run = site.extract(&["a.txt", "a.txt"]);
    assert_eq!(run.code, 0);
    let lines = run.lines();
    assert_eq!(list(&lines[0], "warnings").len(), 0);
    assert_eq!(list(&lines[1], "warnings").len(), 1);
    assert!(run.stderr.contains("a.txt: the id \"a.txt\" occurs more than once"), "{}", run.stderr);
}

#[test]
fn the_extension_tells_the_format_and_the_flag_overrides_it() {
    let site = Site::new();
    let line = r#"{"id":"x","text":"Ada Byron said hello."}"#;
    for name in ["a.jsonl", "b.ndjson", "c.JSONL", "d.json", "jsonl"] {
        site.write(name, line);
    }
    let ids = |run: &Run| -> Vec<Value> { run.lines().iter().map(|line| line["id"].clone()).collect() };
    let run = site.extract(&["a.jsonl", "b.ndjson", "c.JSONL", "d.json", "jsonl"]);
    assert_eq!(ids(&run), ["x", "x", "x", "d.json", "jsonl"]);
    let run = site.extract(&["a.jsonl", "--input-format", "text"]);
    assert_eq!(ids(&run), ["a.jsonl"]);
    check(&run.lines()[0], line);
    let run = site.extract(&["jsonl", "--input-format", "jsonl"]);
    assert_eq!(ids(&run), ["x"]);
}

#[test]
fn standard_input_is_read_where_no_file_or_a_dash_is_named() {
    let site = Site::new();
    let text = "Ada Byron said hello.";
    site.write("a.txt", text);
    let from =
        |input: &str, arguments: &[&str]| Run::of(site.onrecord(&["extract"]).args(arguments).write_stdin(input));

    let run = from(text, &[]);
    assert_eq!((run.code, run.lines()[0]["id"].as_str()), (0, Some("-")));
    check(&run.lines()[0], text);

    let run = from(text, &["a.txt", "-", "missing.txt"]);
    let ids: Vec<Value> = run.lines().iter().map(|line| line["id"].clone()).collect();
    assert_eq!((run.code, ids), (1, vec![json!("a.txt"), json!("-"), json!("missing.txt")]));

    let run = from("{\"text\":\"Ada Byron said hello.\"}\n\n \n{\n", &["--input-format", "jsonl"]);
    assert_eq!((run.code, run.lines().len(), &run.lines()[0]["id"]), (1, 2, &json!("-:1")));
    assert!(run.stderr.starts_with("onrecord: -:4: "), "{}", run.stderr);

    let run = from(text, &["--max-document-bytes", "20"]);
    assert_eq!((run.code, &run.lines()[0]["error"]["code"]), (1, &json!("document_too_large")));
    let run = from("", &[]);
    assert_eq!((run.code, &run.lines()[0]["error"]["code"]), (1, &json!("empty_document")));
}

#[test]
#[cfg(target_os = "linux")]
fn a_document_over_the_limit_is_not_read_whole() {
    let site = Site::new();
    let run = site.extract(&["/dev/zero", "--max-document-bytes", "1000"]);
    assert_eq!((run.code, &run.lines()[0]["error"]["code"]), (1, &json!("document_too_large")));
    site.write("a.txt", "Ada Byron said hello.");
    let run = site.extract(&["a.txt", "--max-document-bytes", &usize::MAX.to_string()]);
    assert_eq!(run.code, 0, "no limit at all: {}", run.stderr);
}

#[test]
fn a_long_document_is_covered_to_its_end() {
    let site = Site::new();
    let article = "Ada Byron said the bridge at Pellworth was safe. She hopes trains will cross it by May.\n\n";
    let copies = 5000 / 18;
    site.write("long.txt", article.repeat(copies));
    let run = site.extract(&["long.txt", "--max-window", "256", "--offset-unit", "byte"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let result = &run.lines()[0];
    check(result, &article.repeat(copies));
    // The tiny model knows no context, so every copy looks the same to it.
    let mut entities = vec![Vec::new(); copies];
    for entity in list(result, "entities") {
        let copy = entity["start"].as_u64().expect("a number") as usize / article.len();
        entities[copy].push(&entity["text"]);
    }
    assert!(!entities[1].is_empty(), "nothing to compare");
    for (number, copy) in entities.iter().enumerate().skip(1).take(copies - 2) {
        assert_eq!(copy, &entities[1], "copy {number}");
    }
    assert!(!entities[copies - 1].is_empty(), "nothing found at the end");
}

#[test]
fn another_language_is_a_warning() {
    let site = Site::new();
    let french = "Le ministre a déclaré mercredi que les travaux du port commenceraient au printemps, après une \
                  longue consultation avec les habitants et les pêcheurs de la région.";
    site.write("a.txt", french);
    let run = site.extract(&["a.txt"]);
    assert_eq!(run.code, 0);
    let warnings = run.lines()[0]["warnings"].to_string();
    assert!(warnings.contains("French"), "{warnings}");
    check(&run.lines()[0], french);
}
