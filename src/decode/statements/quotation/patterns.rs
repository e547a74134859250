//! Tests of quotations: a table of sentences in the manner of news text, with
//! the marks where a writer, or a careless editor, might put them.

use std::ops::Range;

use super::Kind::{Direct, Indirect, Mixed};
use super::*;

/// Texts, each with the content of one statement in the brackets ⟦ ⟧, and the
/// kind of that statement.
const PATTERNS: [(&str, Kind); 60] = [
    // Straight double marks.
    ("⟦\"The bridge is safe,\"⟧ the engineer said.", Direct),
    ("\"⟦We lost⟧,\" she said, \"⟦but we lost honestly⟧.\"", Direct),
    ("Asked about the \"gift,\" Lund said ⟦it was a loan⟧, not a \"gift.\"", Indirect),
    ("Moreno said ⟦the plan was \"dead on arrival\" in the Senate⟧.", Mixed),
    ("He said ⟦that \"nobody was hurt\" and that \"everybody went home⟧.\"", Direct),
    ("Critics call it (\"⟦a tax on breathing⟧\") what the mayor calls law.", Direct),
    ("The senator\u{2014}\"⟦I will not yield⟧,\" he had said\u{2014}yielded.", Direct),
    ("\"⟦...and then the lights went out⟧,\" recalled Pruitt, who said he \"froze.\"", Direct),
    ("\"⟦I was going to\u{2014}⟧\" he began, and the judge said ⟦to sit down⟧.", Mixed),
    ("The mayor said ⟦the film, \"Night Train to Oslo,\" would be shot in the city⟧.", Mixed),
    ("\"Yes,\" \"no\" and \"maybe\" were the choices, and most, Lund said, ⟦chose none⟧.", Indirect),
    // Curly double marks.
    ("“⟦If they come⟧,” he said, “⟦we’re ready, and if they don’t⟧” — a pause — “⟦readier⟧.”", Direct),
    ("Okafor said ⟦turnout was low⟧. “I was surprised,” she added.", Indirect),
    ("“⟦[The president] … is unfit⟧,” Okafor wrote.", Direct),
    ("Okafor said ⟦turnout was “a disgrace,” and blamed the weather⟧.", Mixed),
    ("The court found ⟦that “no reasonable juror” could have convicted him⟧.", Mixed),
    ("He promised ⟦, “that every vote will count”⟧, and left it there.", Direct),
    ("Tran’s answer⟦: “Never.”⟧ The “Iron Lady of Dayton” had spoken.", Direct),
    // Opened and closed by marks that do not match, or on the wrong side of a space.
    ("“⟦The talks go on⟧,\" the envoy told reporters, who \"waited outside.\"", Direct),
    ("\"We go on,” the envoy said. The others, he believes, ⟦have given up⟧.", Indirect),
    ("The envoy said ⟦lunch was served⟧, then: “We go on.\" Nothing “more.”", Indirect),
    ("\" ⟦The talks go on⟧ , \" the envoy said , adding that lunch was \" fine . \"", Direct),
    ("He says,” ⟦there are people nobody listens to⟧.”", Direct),
    ("The mayor said,\"⟦It’s over⟧\"and hung up.", Direct),
    // Single curly marks and apostrophes.
    ("‘⟦We can’t pay the workers’ wages⟧,’ the owner said.", Direct),
    ("The union said ⟦the workers’ pensions weren’t safe⟧, but the owner’s were.", Indirect),
    ("‘⟦It’s O’Brien’s fault⟧,’ she said. ‘⟦He didn’t listen⟧.’", Direct),
    ("Voters of the ’90s, she argued, ⟦didn’t care about the ’60s or rock ’n’ roll⟧.", Indirect),
    ("The ‘experts’ said ⟦the dam would hold⟧; the ‘amateurs’ had fled.", Indirect),
    ("He told the inquiry ⟦he had been a ‘useful idiot’ for the owners’ club⟧.", Mixed),
    ("‘⟦The players’ union will strike if the owners’ offer stands⟧,’ Diaz said.", Direct),
    ("Autocorrect made it ‘90s music, and critics agree ⟦it was awful for the fans’ ears⟧.", Indirect),
    // Straight single marks and apostrophes.
    ("Minister: '⟦We won't raise taxes⟧'", Direct),
    ("Sanders: ⟦'Enough is enough' on Clinton's 'damn emails'⟧", Mixed),
    ("'⟦That's not Texas' problem⟧,' the governor said.", Direct),
    ("The governor said ⟦it wasn't Texas' problem⟧, nor was it Kansas' or the states'.", Indirect),
    ("She told 'em ⟦the game was over⟧ and that nothin' was goin' to change.", Indirect),
    ("In '08 he said ⟦the banks' losses were small⟧; by '09 he'd changed his tune.", Indirect),
    ("'⟦I was born in the '50s⟧,' Whitlock said, '⟦and I'll die in the '50s⟧.'", Direct),
    // Feet and inches.
    ("The coach said ⟦his 6'2\" guard couldn't shoot⟧ over a 6' 8\" \"wall.\"", Indirect),
    ("A 12\" main burst, the utility said. \"⟦We are on it⟧,\" a spokesman wrote.", Direct),
    ("\"⟦The 5\" pipe burst at the players' entrance⟧,\" he said.", Direct),
    ("\"⟦We are No. 1⟧\" said the banner; \"No. 2\" was nothing.", Direct),
    // Marks of other traditions.
    ("« ⟦Nous sommes prêts⟧ », a dit le ministre.", Direct),
    ("»⟦Wir sind bereit⟧«, sagte die Ministerin, man sei ›ganz‹ sicher.", Direct),
    ("„⟦Wir sind bereit⟧“, sagte sie, „⟦und das seit Tagen⟧“.", Direct),
    ("Sie sagte, ⟦man sei ‚bereit‘ und warte⟧.", Mixed),
    ("``⟦Rates will stay low⟧,'' the chairman said, and ``⟦that is that⟧.''", Direct),
    ("''⟦The show must go on⟧,'' the actor's aide said. ''⟦It's sold out, and it's 'Evita⟧.'''", Direct),
    // Nested quotations.
    ("“⟦They ask me when “your team” is going to win⟧,” Ruiz said. “I laugh.”", Direct),
    ("“⟦He looked at me and said ‘no,’ and I left⟧,” Ruiz testified.", Direct),
    ("\"⟦They called it 'the workers' paradise' and laughed⟧,\" she said.", Direct),
    ("‘⟦She told me “it’s over” and hung up⟧,’ Hale said.", Direct),
    ("\"'Enough,' he told me,\" Ruiz said. Hale said ⟦it was never 'enough'⟧.", Mixed),
    // Several paragraphs, with no closing mark before the last.
    ("“⟦We have waited ten years.\n\n“We will not wait another day⟧,” said Abara.", Direct),
    ("“We have waited.\n\n“We are done.”\n\nThe minister said ⟦the wait was over⟧.", Indirect),
    ("‘⟦We haven’t slept⟧.\n\n‘⟦We won’t sleep⟧,’ the nurse said.", Direct),
    // Marks that were lost.
    ("\"We will appeal, the lawyer said.\n\nThe court said ⟦it would hear the case⟧.", Indirect),
    ("The lawyer called it a farce.”\n\nThe clerk said ⟦the court had closed⟧. “Good night.”", Indirect),
    ("Ads for \"Evita ran all week.\nSales, the theater said, ⟦were up⟧; \"Cats\" closed.", Indirect),
];

/// Takes the brackets ⟦ ⟧ out of a pattern and returns what stood in them.
fn marked(pattern: &str) -> (String, Vec<Range<usize>>) {
    let mut text = String::new();
    let mut content = Vec::new();
    let mut start = 0;
    for character in pattern.chars() {
        match character {
            '⟦' => start = text.len(),
            '⟧' => content.push(start..text.len()),
            _ => text.push(character),
        }
    }
    (text, content)
}

fn quoted(text: &str) -> Vec<&str> {
    let quotations = Quotations::find(text);
    quotations.ranges().iter().map(|range| &text[range.clone()]).collect()
}

#[test]
fn patterns() {
    let mut wrong = Vec::new();
    for (pattern, expected) in PATTERNS {
        let (text, content) = marked(pattern);
        let kind = Quotations::find(&text).kind(&text, &content);
        if kind != expected {
            wrong.push(format!("{} is not {}: {pattern}\n  quoted: {:?}", expected.name(), kind.name(), quoted(&text)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ranges_leave_out_the_marks() {
    assert_eq!(quoted("“We won,” she said, “and fairly.”"), ["We won,", "and fairly."]);
    assert_eq!(quoted("“He said ‘no’ to me”"), ["He said ‘no’ to me"]);
    assert_eq!(quoted("``We won,'' she said, ''twice\""), ["We won,", "twice"]);
    assert_eq!(quoted("»Wir« und «nous» und „wir“"), ["Wir", "nous", "wir"]);
    assert_eq!(quoted("a 6'2\" guard, a 5\" pipe and \"a \"word"), ["a \"word"]);
}

#[test]
fn odd_inputs() {
    assert!(quoted("").is_empty());
    assert!(quoted("\"").is_empty());
    assert!(quoted("\" ' ” “\n’’\n»«\n").iter().all(|piece| !piece.is_empty()));
    assert_eq!(quoted("He wrote “👍🏽” and left"), ["👍🏽"]);
    assert_eq!(quoted("הוא אמר \"לא\" לדובר צה\"ל"), ["לא"]);
    assert_eq!(quoted("قال «نعم» ثم غادر"), ["نعم"]);
    let text = "He wrote “👍🏽” and left";
    let quotations = Quotations::find(text);
    assert_eq!(quotations.kind(text, std::slice::from_ref(&(12..20))), Kind::Direct);
    assert_eq!(quotations.kind(text, &[]), Kind::Indirect);
    let misfits = [Range { start: 3, end: 1 }, 13..14, 400..500];
    assert_eq!(quotations.kind(text, &misfits), Kind::Indirect);
}

#[test]
fn only_marks() {
    for unit in ["\"", "'", "“", "”", "`", "« ", "\" ", "' ", "‘a", "a’ ", "s' 'a", "\n\""] {
        let bytes = if unit.len() == 1 { 1 << 20 } else { 1 << 16 };
        let text = unit.repeat(bytes / unit.len());
        check(&text);
    }
}

/// Fails unless the ranges are sorted, apart, within the text and on the
/// boundaries of characters.
fn check(text: &str) {
    let quotations = Quotations::find(text);
    let mut end = 0;
    for range in quotations.ranges() {
        assert!(range.start >= end && range.start < range.end, "{range:?} in {text:?}");
        assert!(text.get(range.clone()).is_some(), "{range:?} in {text:?}");
        end = range.end;
    }
}

#[test]
fn mark_soup() {
    let pieces = [
        "\"", "'", "“", "”", "‘", "’", "„", "‚", "«", "»", "‹", "›", "`", "``", "''", " ", " ", "a", "Workers", "in",
        "5", "90s", ".", ",", "—", "(", "\n", "\r\n", "\u{a0}", "é", "👍🏽", "א",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        // The xorshift generator of Marsaglia.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for _ in 0..20_000 {
        let text: String = (0..random(40)).map(|_| pieces[random(pieces.len())]).collect();
        check(&text);
        let quotations = Quotations::find(&text);
        let content = [random(60)..random(60), 0..text.len()];
        quotations.kind(&text, &content);
    }
}
