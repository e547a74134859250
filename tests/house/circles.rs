//! Finds circles between the files of a crate: files each of which needs, perhaps by way of others, all the others.
//!
//! A file needs another where its code names something that is *defined* there: in a `use`, or by a path (`crate::..`,
//! `super::..`, `self::..`, or one that begins with a child or with something imported). A name that a module merely hands
//! on leads to the file behind it. So
//!
//! - a `mod.rs` that declares children and re-exports what is theirs needs none of them, unless its own code uses the name;
//! - whoever takes a name from there needs the child's file, not the parent's;
//! - importing a module is no need by itself: what is then named through it is;
//! - a parent that calls a child which uses what the parent itself defines is a circle like any other.
//!
//! Left out is what no program contains: items under a `cfg` of tests, fuzzing or benchmarks, with the files that they
//! declare. Methods are called without naming a file: they are not seen, nor are links in comments. What is imported with a
//! star could be anything: within the crate that is refused.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// Files by their names, from the root of the crate's sources ("lib.rs", "text/mod.rs").
pub type Sources = BTreeMap<String, String>;

/// Where a module stands: the names that lead to it from the crate's root.
type Place = Vec<String>;

/// One `use`, its braces resolved.
struct Import {
    /// The name that it gives here; `_` for none.
    name: String,
    path: Vec<String>,
    /// Whether others may have it from here: `pub` in any form.
    handed_on: bool,
}

/// A file's module, or one with a body within it.
#[derive(Default)]
struct Module {
    file: String,
    children: BTreeSet<String>,
    imports: Vec<Import>,
    /// Paths of two or more names, outside `use`.
    paths: Vec<Vec<String>>,
    /// Names that stand in the code, outside `use`, each without what comes before it.
    names: BTreeSet<String>,
}

/// What a path leads to.
struct Target {
    module: Place,
    /// Whether something in the module is meant, and not the module itself.
    is_item: bool,
}

/// The modules of a crate, from `lib.rs` on.
#[derive(Default)]
struct Crate {
    modules: BTreeMap<Place, Module>,
}

/// Which files need which others, and by what path, of all files that `lib.rs` leads to.
pub fn needs(sources: &Sources) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut all = Crate::default();
    all.read_file(sources, Place::new(), "lib.rs");
    let mut needs: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (place, module) in &all.modules {
        let of_file = needs.entry(module.file.clone()).or_default();
        let imported = module.imports.iter().filter(|import| {
            let is_used = !import.handed_on || module.names.contains(&import.name);
            is_used && all.resolve(place, &import.path).is_some_and(|target| target.is_item)
        });
        let star =
            module.imports.iter().find(|import| import.name == "*" && all.resolve(place, &import.path).is_some());
        assert!(star.is_none(), "{} imports with a star: name what it needs", module.file);
        for path in imported.map(|import| &import.path).chain(&module.paths) {
            let Some(target) = all.resolve(place, path) else { continue };
            let file = &all.modules[&target.module].file;
            if *file != module.file {
                of_file.entry(file.clone()).or_insert_with(|| path.join("::"));
            }
        }
    }
    needs
}

/// The circles: groups of files, each of which leads to all the others of its group.
pub fn circles(needs: &BTreeMap<String, BTreeMap<String, String>>) -> Vec<BTreeSet<&str>> {
    let reach = |from: &str| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(file) = open.pop() {
            let next = needs.get(file).into_iter().flat_map(BTreeMap::keys).map(String::as_str);
            open.extend(next.filter(|file| seen.insert(file.to_string())));
        }
        seen
    };
    let reached: BTreeMap<&str, BTreeSet<String>> = needs.keys().map(|file| (file.as_str(), reach(file))).collect();
    let mut circles = BTreeSet::new();
    for (file, others) in &reached {
        if others.contains(*file) {
            let back = reached.iter().filter(|(other, theirs)| others.contains(**other) && theirs.contains(*file));
            circles.insert(back.map(|(other, _)| *other).collect());
        }
    }
    circles.into_iter().collect()
}

impl Crate {
    fn read_file(&mut self, sources: &Sources, place: Place, file: &str) {
        let tokens: TokenStream = sources[file].parse().unwrap_or_else(|error| panic!("{file} is not Rust: {error}"));
        self.modules.insert(place.clone(), Module { file: file.to_owned(), ..Module::default() });
        self.read(sources, &place, &tokens.into_iter().collect::<Vec<_>>());
    }

    fn read(&mut self, sources: &Sources, place: &Place, tokens: &[TokenTree]) {
        let mut at = 0;
        while at < tokens.len() {
            let rest = &tokens[at..];
            at += match rest {
                [TokenTree::Punct(hash), TokenTree::Group(attribute), ..]
                    if hash.as_char() == '#' && is_for_tests(attribute.stream()) =>
                {
                    2 + item_length(&rest[2..])
                }
                [TokenTree::Ident(word), TokenTree::Ident(name), body, ..] if word == "mod" => {
                    self.declare(sources, place, &name.to_string(), body);
                    3
                }
                [TokenTree::Ident(word), next, ..] if word == "use" && !is_sign(next, '<') => {
                    let length = rest.iter().take_while(|token| !is_sign(token, ';')).count();
                    let before = &tokens[at.saturating_sub(2)..at];
                    let handed_on = before.iter().any(|token| is_word(token, "pub"));
                    let imports = &mut self.module(place).imports;
                    import(&rest[1..length], &[], handed_on, imports);
                    length
                }
                // `pub(in crate::text)`, which opens a door and needs nothing.
                [TokenTree::Ident(word), TokenTree::Group(reach), ..]
                    if word == "pub" && reach.delimiter() == Delimiter::Parenthesis =>
                {
                    2
                }
                [TokenTree::Ident(_), ..] => {
                    let path = path(rest);
                    let length = path.len() * 3 - 2;
                    // Behind a dot stands a field or a method, behind a double colon the rest of something.
                    let is_rest =
                        at > 0 && (is_sign(&tokens[at - 1], '.') || at > 1 && is_double_colon(&tokens[at - 2..]));
                    if !is_rest {
                        let module = self.module(place);
                        module.names.insert(path[0].clone());
                        if path.len() > 1 {
                            module.paths.push(path);
                        }
                    }
                    length
                }
                [TokenTree::Group(group), ..] => {
                    self.read(sources, place, &group.stream().into_iter().collect::<Vec<_>>());
                    1
                }
                _ => 1,
            };
        }
    }

    fn module(&mut self, place: &Place) -> &mut Module {
        self.modules.entry(place.clone()).or_default()
    }

    fn declare(&mut self, sources: &Sources, place: &Place, name: &str, body: &TokenTree) {
        self.module(place).children.insert(name.to_owned());
        let child: Place = place.iter().cloned().chain([name.to_owned()]).collect();
        if let TokenTree::Group(body) = body {
            let file = self.module(place).file.clone();
            self.modules.insert(child.clone(), Module { file, ..Module::default() });
            self.read(sources, &child, &body.stream().into_iter().collect::<Vec<_>>());
            return;
        }
        let files = [format!("{}.rs", child.join("/")), format!("{}/mod.rs", child.join("/"))];
        let file = files.iter().find(|file| sources.contains_key(*file));
        let file = file.unwrap_or_else(|| panic!("there is neither {} nor {}", files[0], files[1]));
        self.read_file(sources, child, file);
    }

    /// Where a path that stands in a module leads; `None` where that is no file of the crate.
    fn resolve(&self, from: &Place, path: &[String]) -> Option<Target> {
        let (mut module, mut rest) = match path.first()?.as_str() {
            "crate" => (Place::new(), &path[1..]),
            "self" => (from.clone(), &path[1..]),
            "super" => (from.clone(), path),
            name => {
                let here = self.modules.get(from)?;
                let is_known = here.children.contains(name) || here.imports.iter().any(|import| import.name == name);
                (from.clone(), if is_known { path } else { return None })
            }
        };
        while let Some((name, behind)) = rest.split_first() {
            let here = self.modules.get(&module)?;
            if name == "super" {
                module.pop()?;
            } else if name == "self" || here.children.contains(name) {
                module.extend((name != "self").then(|| name.clone()));
            } else if let Some(import) = here.imports.iter().find(|import| import.name == *name) {
                // A name that begins its own path is that of another crate.
                let is_foreign = import.path[0] == *name;
                return (!is_foreign).then(|| self.resolve(&module, &[&import.path, behind].concat())).flatten();
            } else {
                return Some(Target { module, is_item: true });
            }
            rest = behind;
        }
        Some(Target { module, is_item: false })
    }
}

/// Whether an attribute's content is a `cfg` that no program is built with.
fn is_for_tests(attribute: TokenStream) -> bool {
    let is_special = |part: &str| ["test", "feature=\"fuzzing\"", "feature=\"benchmarks\""].contains(&part);
    let text = attribute.to_string().replace(' ', "");
    let Some(condition) = text.strip_prefix("cfg(").and_then(|condition| condition.strip_suffix(')')) else {
        return false;
    };
    let list = |kind: &str| Some(condition.strip_prefix(kind)?.strip_suffix(')')?.split(','));
    match (list("any("), list("all(")) {
        (Some(mut parts), _) => parts.all(is_special),
        (_, Some(mut parts)) => parts.any(is_special),
        _ => is_special(condition),
    }
}

/// How many tokens an item has, its attributes included: up to its body or semicolon.
fn item_length(tokens: &[TokenTree]) -> usize {
    let is_import = tokens.iter().find(|token| matches!(token, TokenTree::Ident(word) if word != "pub"));
    let is_import = is_import.is_some_and(|token| is_word(token, "use"));
    let is_end = |token: &TokenTree| match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !is_import,
        token => is_sign(token, ';'),
    };
    tokens.iter().position(is_end).map_or(tokens.len(), |end| end + 1)
}

/// Adds the imports of a `use`: of what stands between the word and the semicolon.
fn import(tokens: &[TokenTree], before: &[String], handed_on: bool, imports: &mut Vec<Import>) {
    for tree in tokens.split(|token| is_sign(token, ',')) {
        let mut path = before.to_vec();
        let mut name = None;
        let mut tokens = tree.iter();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(word) if word == "as" => name = tokens.next().map(ToString::to_string),
                TokenTree::Ident(word) if word == "self" && !path.is_empty() => {}
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Punct(star) if star.as_char() == '*' => {
                    path.push("*".to_owned());
                }
                TokenTree::Group(group) => {
                    import(&group.stream().into_iter().collect::<Vec<_>>(), &path, handed_on, imports);
                    path.clear();
                }
                _ => {}
            }
        }
        if let Some(last) = path.last() {
            imports.push(Import { name: name.unwrap_or_else(|| last.clone()), path, handed_on });
        }
    }
}

/// The names at the beginning of these tokens that double colons join.
fn path(tokens: &[TokenTree]) -> Vec<String> {
    let mut path = vec![tokens[0].to_string()];
    let mut rest = &tokens[1..];
    while let [first, second, TokenTree::Ident(name), behind @ ..] = rest {
        if !is_double_colon(&[first.clone(), second.clone()]) {
            break;
        }
        path.push(name.to_string());
        rest = behind;
    }
    path
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

fn is_sign(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

fn is_double_colon(tokens: &[TokenTree]) -> bool {
    let is_joint = matches!(&tokens[0], TokenTree::Punct(colon) if colon.spacing() == Spacing::Joint);
    is_joint && is_sign(&tokens[0], ':') && is_sign(&tokens[1], ':')
}

#[cfg(test)]
mod tests;
