//! `onrecord export`: where the files go, and results that are not those of the articles. That other tools read the forms
//! is tested with those tools, in `python/tests/test_exports.py`.

use serde_json::{Value, json};

use super::{Run, Site};

const FORMATS: [&str; 8] = ["brat", "conll", "displacy", "webannotation", "citron", "html", "csv", "schemaorg"];

const TEXTS: [&str; 3] = [
    "Ada Byron said hello.\nShe left.",
    "🦀 “שלום,” Ilka Dorn said, “or\r\nleave.” <b onclick='x()'>Bernard Osei</b> hopes so & waits.",
    "Bernard Osei, the town clerk of Pellworth, told reporters that it cost $1.8 million.",
];

/// A site with three articles, `feed.jsonl`, and their results, `results.jsonl`.
fn site() -> Site {
    let site = Site::new();
    let line = |(id, text): (usize, &&str)| json!({"id": format!("news/{id}.txt"), "text": text}).to_string();
    site.write("feed.jsonl", TEXTS.iter().enumerate().map(line).collect::<Vec<_>>().join("\n"));
    let results = site.extract(&["feed.jsonl"]);
    assert_eq!(results.code, 0, "{}", results.stderr);
    site.write("results.jsonl", results.stdout);
    site
}

fn export(site: &Site, arguments: &[&str]) -> Run {
    Run::of(site.onrecord(&["export"]).args(arguments))
}

fn files(site: &Site, directory: &str) -> Vec<String> {
    let entries = std::fs::read_dir(site.path().join(directory)).expect("the directory is there");
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn recorded_results_give_what_extraction_gives() {
    let site = site();
    for format in FORMATS {
        let one = export(&site, &["feed.jsonl", "--to", format, "--output", &format!("{format}-extracted")]);
        let other = ["feed.jsonl", "--to", format, "--output", format, "--annotations", "results.jsonl"];
        let other = export(&site, &other);
        assert_eq!((one.code, other.code), (0, 0), "{}{}", one.stderr, other.stderr);
        let names = files(&site, format);
        assert_eq!(names, files(&site, &format!("{format}-extracted")));
        for name in names {
            let read = |directory: &str| std::fs::read(site.path().join(directory).join(&name)).unwrap();
            assert_eq!(read(format), read(&format!("{format}-extracted")), "{format}/{name}");
            assert!(!read(format).is_empty(), "{format}/{name}");
        }
    }
    assert_eq!(files(&site, "citron"), ["news-0.citron.json", "news-1.citron.json", "news-2.citron.json"]);
    assert_eq!(files(&site, "csv"), ["statements.csv"]);
    assert_eq!(files(&site, "conll"), ["documents.conll"]);
    let brat = ["annotation.conf", "news-0.ann", "news-0.txt", "news-1.ann", "news-1.txt", "news-2.ann", "news-2.txt"];
    assert_eq!(files(&site, "brat"), brat);
    let text = std::fs::read_to_string(site.path().join("brat/news-1.txt")).unwrap();
    assert_eq!(text, TEXTS[1]);
}

#[test]
fn offsets_are_code_points_whatever_the_results_count() {
    let site = site();
    let expected = export(&site, &["feed.jsonl", "--to", "citron"]);
    for unit in ["byte", "utf16"] {
        let results = site.extract(&["feed.jsonl", "--offset-unit", unit]);
        site.write("other.jsonl", results.stdout);
        let run = export(&site, &["feed.jsonl", "--to", "citron", "--annotations", "other.jsonl"]);
        assert_eq!((run.code, &run.stdout), (0, &expected.stdout), "{}", run.stderr);
    }
    let mut seen = 0;
    for (line, text) in expected.lines().iter().zip(TEXTS) {
        let characters: Vec<char> = text.chars().collect();
        let quotes = line["quotes"].as_array().unwrap();
        seen += quotes.len();
        for span in quotes.iter().flat_map(|quote| quote["contents"].as_array().unwrap()) {
            let range = span["start"].as_u64().unwrap() as usize..span["end"].as_u64().unwrap() as usize;
            assert_eq!(characters[range].iter().collect::<String>(), span["text"].as_str().unwrap());
        }
    }
    assert!(seen > 1, "too little to compare: {}", expected.stdout);
}

#[test]
fn standard_output_takes_lines_tables_and_single_pages() {
    let site = site();
    site.write("a.txt", TEXTS[0]);
    for format in FORMATS {
        let single = export(&site, &["a.txt", "--to", format]);
        assert_eq!((single.code, single.stderr.as_str()), (0, ""), "{format}");
        let several = export(&site, &["feed.jsonl", "--to", format]);
        if ["brat", "html"].contains(&format) {
            assert_eq!(several.code, 2, "{format}");
            assert!(several.stderr.contains("--output DIR"), "{}", several.stderr);
        } else {
            assert_eq!(several.code, 0, "{format}: {}", several.stderr);
        }
    }
    let table = export(&site, &["feed.jsonl", "--to", "csv"]).stdout;
    assert_eq!(table.matches("document,statement,kind").count(), 1);
    assert_eq!(export(&site, &["feed.jsonl", "--to", "citron"]).lines().len(), TEXTS.len());
}

#[test]
fn results_of_other_articles_are_errors_and_the_rest_is_written() {
    let site = site();
    let results = std::fs::read_to_string(site.path().join("results.jsonl")).unwrap();
    let lines: Vec<&str> = results.lines().collect();
    let of_first = |change: &dyn Fn(&mut Value)| {
        let mut line: Value = serde_json::from_str(lines[0]).unwrap();
        change(&mut line);
        [&line.to_string(), lines[1], lines[2]].join("\n")
    };
    let failed = json!({"id": "news/0.txt", "error": {"code": "unreadable", "message": "nobody could read it"}});
    let cases: [(String, &str); 7] = [
        ([lines[1], lines[2]].join("\n"), "feed.jsonl:1: results.jsonl has no results of \"news/0.txt\""),
        (of_first(&|line| line["id"] = json!("other")), "results.jsonl:1: these are results of \"other\""),
        (of_first(&|line| line["entities"][0]["text"] = json!("bye")), "does not read \"bye\""),
        (of_first(&|line| line["entities"][0]["start"] = json!(1_000_000)), "from 1000000 to"),
        (of_first(&|line| line["schema"] = json!(2)), "results.jsonl:1: schema 2"),
        (of_first(&|line| line["statements"] = json!(7)), "results.jsonl:1: this is no result"),
        ([&failed.to_string(), lines[1], lines[2]].join("\n"), "there is no result: nobody could read it"),
    ];
    for (recorded, reason) in cases {
        site.write("wrong.jsonl", recorded);
        let run = export(&site, &["feed.jsonl", "--to", "citron", "--annotations", "wrong.jsonl"]);
        let reason = reason.replace("results.jsonl", "wrong.jsonl");
        assert_eq!(run.code, 1, "{reason}: {}", run.stderr);
        assert!(run.stderr.contains(&reason), "{reason}: {}", run.stderr);
        assert_eq!(run.lines().len(), 2, "{reason}");
    }
}

#[test]
fn what_cannot_be_used_ends_the_command() {
    let site = site();
    site.write("twice.jsonl", format!("{}\n{}", r#"{"id": "a"}"#, r#"{"id": "a"}"#));
    site.write("broken.jsonl", "{\"id\": \"a\"}\nno json");
    site.write("full/file", "");
    let cases: [(&[&str], i32, &str); 5] = [
        (&["--to", "citron", "--annotations", "missing.jsonl"], 3, "--annotations missing.jsonl: "),
        (&["--to", "citron", "--annotations", "twice.jsonl"], 3, "lines 1 and 2 are both results of \"a\""),
        (&["--to", "citron", "--annotations", "broken.jsonl"], 3, "line 2 is no result"),
        (&["--to", "citron", "--output", "full"], 3, "it is not empty"),
        (&["--to", "docx"], 2, "brat, conll, displacy"),
    ];
    for (arguments, code, reason) in cases {
        let run = export(&site, &[&["feed.jsonl"], arguments].concat());
        assert_eq!(run.code, code, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(reason), "{arguments:?}: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn files_get_names_that_can_be_names_and_are_their_own() {
    let site = Site::new();
    let ids = ["a/b.txt", "A\\b", "../../etc/passwd", "…", "https://example.org/ü?x=1", &"long".repeat(100)];
    let lines = ids.map(|id| json!({"id": id, "text": "Ada Byron said hello."}).to_string());
    site.write("feed.jsonl", lines.join("\n"));
    let run = export(&site, &["feed.jsonl", "--to", "html", "--output", "pages"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let long = format!("{}.html", "long".repeat(15));
    let mut expected =
        ["a-b.html", "A-b-2.html", "etc-passwd.html", "article.html", "https-example.org-ü-x-1.html", long.as_str()];
    expected.sort_unstable();
    assert_eq!(files(&site, "pages"), expected);
}

#[test]
fn a_bad_article_costs_its_own_error() {
    let site = site();
    let run = export(&site, &["missing.txt", "feed.jsonl", "--to", "citron"]);
    assert_eq!((run.code, run.lines().len()), (1, TEXTS.len()));
    assert!(run.stderr.contains("missing.txt"), "{}", run.stderr);
}
