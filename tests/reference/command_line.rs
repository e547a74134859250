//! `docs/cli.md`: every command with its flags, from clap's own description of them. The width of a terminal and the
//! environment have no part in it.

use clap::builder::{PossibleValue, StyledStr};
use clap::{Arg, Command, CommandFactory};
use onrecord::cli::Cli;

use super::{cell, check, linked, table};

#[test]
fn the_commands_are_described_as_they_are() {
    let mut program = Cli::command();
    program.build();
    let mut reference = String::new();
    describe(&program, "onrecord", &mut reference);
    check("cli.md", &reference);
}

/// A command that does something, or else what is below it.
fn describe(command: &Command, name: &str, reference: &mut String) {
    let below: Vec<&Command> = command.get_subcommands().filter(|below| is_ours(below)).collect();
    for below in &below {
        describe(below, &format!("{name} {}", below.get_name()), reference);
    }
    if !below.is_empty() {
        return;
    }
    let about = command.get_long_about().or(command.get_about()).map(plain).unwrap_or_default();
    let about = linked(&about);
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    *reference += &format!("\n## {name}\n\n{about}\n\n```text\n{usage}\n```\n\n");
    let (places, flags): (Vec<&Arg>, Vec<&Arg>) = command
        .get_arguments()
        .filter(|argument| !argument.is_hide_set() && is_flag_of_ours(argument))
        .partition(|argument| argument.is_positional());
    *reference += &table(["argument", "meaning"], places.iter().map(|argument| [values(argument), meaning(argument)]));
    for heading in headings(&flags) {
        *reference += &heading.map(|heading| format!("{heading}:\n\n")).unwrap_or_default();
        let flags = flags.iter().filter(|flag| flag.get_help_heading() == heading);
        *reference +=
            &table(["flag", "environment", "meaning"], flags.map(|flag| [spelling(flag), twin(flag), meaning(flag)]));
    }
    reference.truncate(reference.trim_end().len());
    *reference += "\n";
}

/// Not clap's own `help`.
fn is_ours(command: &Command) -> bool {
    command.get_name() != "help" && !command.is_hide_set()
}

/// Not `--help` and `--version`, which every command has.
fn is_flag_of_ours(argument: &Arg) -> bool {
    !["help", "version"].contains(&argument.get_id().as_str())
}

/// The headings of flags in their order; those without one come first.
fn headings<'command>(flags: &[&'command Arg]) -> Vec<Option<&'command str>> {
    let mut headings = vec![None];
    for heading in flags.iter().map(|flag| flag.get_help_heading()) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    headings.retain(|heading| flags.iter().any(|flag| flag.get_help_heading() == *heading));
    headings
}

fn plain(text: &StyledStr) -> String {
    text.to_string()
}

fn values(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(" ")
}

fn spelling(flag: &Arg) -> String {
    let value = match flag.get_value_names() {
        Some([name, ..]) if flag.get_action().takes_values() => format!(" {name}"),
        _ => String::new(),
    };
    let short = flag.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
    format!("{short}`--{}{value}`", flag.get_long().expect("every flag has a long form"))
}

fn twin(flag: &Arg) -> String {
    flag.get_env().map(|name| format!("`{}`", name.to_string_lossy())).unwrap_or_default()
}

/// What help says, the values that there are, and the default.
fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help()).map(plain).unwrap_or_default();
    let mut meaning = cell(&help);
    let values: Vec<String> = if argument.get_action().takes_values() {
        argument.get_possible_values().iter().filter(|value| !value.is_hide_set()).map(value_meaning).collect()
    } else {
        Vec::new()
    };
    if !values.is_empty() {
        meaning += &format!(": {}", values.join("; "));
    }
    let defaults: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if !defaults.is_empty() && argument.get_action().takes_values() {
        meaning += &format!(" [default: {}]", defaults.join(" "));
    }
    meaning
}

fn value_meaning(value: &PossibleValue) -> String {
    let help = value.get_help().map(|help| format!(" ({})", cell(&plain(help)))).unwrap_or_default();
    format!("`{}`{help}", value.get_name())
}
