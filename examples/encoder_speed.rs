//! Our side of the encoder benchmark, `scripts/bench/encoder`: cuts articles into the windows that all contenders
//! read, and runs them as the product does.
//!
//! ```text
//! encoder_speed cut ARTICLES --to windows.json     # a .jsonl file, or a directory of .txt files
//! encoder_speed run windows.json --precision int8 --threads 2
//! ```
//!
//! `run` takes one request a line, as JSON, and answers each with a line:
//! `{"case": "8x256", "repeats": 3}` with the seconds that it took, and `{"case": "mix", "states": "FILE"}` by writing
//! the hidden states of all tokens to a file (`f32`, special tokens left out).

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Write, stdin};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use clap::Parser;
use onrecord::engine::windows::{rounds, run_round};
use onrecord::model::{Arithmetic, Model, ModelError, Precision, WindowInput, WindowOutput};
use onrecord::text::{Tokens, WindowSize, plan_windows};
use serde::{Deserialize, Serialize};

type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Parser)]
enum Command {
    /// Cut articles into windows.
    Cut {
        /// A file of JSON Lines with a "text" each, or a directory of .txt files.
        articles: PathBuf,
        /// The file to write.
        #[arg(long)]
        to: PathBuf,
        /// How many articles the mix is made of.
        #[arg(long, default_value_t = 12)]
        mix: usize,
    },
    /// Answer requests from standard input.
    Run {
        /// What `cut` wrote.
        windows: PathBuf,
        #[arg(long)]
        precision: Precision,
        #[arg(long)]
        threads: usize,
    },
}

fn main() -> Outcome<()> {
    match Command::parse() {
        Command::Cut { articles, to, mix } => cut(&articles, &to, mix),
        Command::Run { windows, precision, threads } => serve(&windows, precision, threads),
    }
}

/// What `cut` writes and all contenders read.
#[derive(Serialize, Deserialize)]
struct Cases {
    /// The start of their SHA-256.
    weights: String,
    cases: Vec<Case>,
}

#[derive(Serialize, Deserialize)]
struct Case {
    name: String,
    windows: Vec<Window>,
}

/// All that the encoder reads, [CLS] and [SEP] included.
#[derive(Serialize, Deserialize)]
struct Window {
    ids: Vec<u32>,
    shapes: Vec<u8>,
    gaps: Vec<u8>,
}

impl Window {
    fn new(tokens: &Tokens, range: std::ops::Range<usize>, (classifier, separator): (u32, u32)) -> Self {
        // The special tokens have class 0 of shapes and gaps: "none".
        let enclosed = |classes: &[u8]| [&[0], &classes[range.clone()], &[0]].concat();
        Self {
            ids: [&[classifier], &tokens.ids[range.clone()], &[separator]].concat(),
            shapes: enclosed(&tokens.shapes),
            gaps: enclosed(&tokens.gaps),
        }
    }

    /// As the library wants it: special tokens left out.
    fn input(&self) -> WindowInput<'_> {
        let inner = 1..self.ids.len() - 1;
        WindowInput { ids: &self.ids[inner.clone()], shapes: &self.shapes[inner.clone()], gaps: &self.gaps[inner] }
    }
}

fn cut(articles: &Path, to: &Path, mix: usize) -> Outcome<()> {
    let model = Model::embedded(Arithmetic::new(Some(Precision::Int8))?)?;
    let special = model.tokenizer().special_tokens();
    let texts = read_articles(articles)?;
    let tokens = texts.iter().map(|text| model.tokenizer().tokenise(text)).collect::<Result<Vec<_>, _>>()?;

    let mut cases = Vec::new();
    for (count, length) in [(1, 64), (1, 256), (8, 64), (8, 256), (32, 64), (32, 256)] {
        let inner = length - 2;
        let windows: Vec<Window> = tokens
            .iter()
            .flat_map(|tokens| {
                let starts = (0..tokens.len()).step_by(inner);
                starts.filter(|start| start + inner <= tokens.len()).map(move |start| (tokens, start))
            })
            .take(count)
            .map(|(tokens, start)| Window::new(tokens, start..start + inner, special))
            .collect();
        if windows.len() < count {
            return Err(format!("{}: too little text for {count} windows of {length}", articles.display()).into());
        }
        cases.push(Case { name: format!("{count}x{length}"), windows });
    }
    let size = WindowSize::new(model.config().max_window - 2);
    let windows = texts.iter().zip(&tokens).take(mix).flat_map(|(text, tokens)| {
        plan_windows(tokens, text, size).into_iter().map(|window| Window::new(tokens, window.tokens, special))
    });
    cases.push(Case { name: "mix".to_owned(), windows: windows.collect() });
    serde_json::to_writer(
        BufWriter::new(File::create(to)?),
        &Cases { weights: model.weights_hash()[..12].to_owned(), cases },
    )?;
    Ok(())
}

fn read_articles(path: &Path) -> Outcome<Vec<String>> {
    #[derive(Deserialize)]
    struct Article {
        text: String,
    }
    if !path.is_dir() {
        let articles = serde_json::Deserializer::from_reader(BufReader::new(File::open(path)?)).into_iter::<Article>();
        return Ok(articles.map(|article| article.map(|article| article.text)).collect::<Result<_, _>>()?);
    }
    let mut files = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Outcome<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    files.into_iter().map(|file| Ok(fs::read_to_string(file)?)).collect()
}

#[derive(Deserialize)]
struct Request {
    case: String,
    #[serde(default)]
    repeats: usize,
    states: Option<PathBuf>,
}

fn serve(windows: &Path, precision: Precision, threads: usize) -> Outcome<()> {
    let Cases { cases, .. } = serde_json::from_reader(BufReader::new(File::open(windows)?))?;
    let model = Model::embedded(Arithmetic::new(Some(precision))?)?;
    let workers = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    println!("{}", serde_json::json!({ "ready": format!("onrecord, {} kernels", model.arithmetic().kernels) }));
    for line in stdin().lines() {
        let request: Request = serde_json::from_str(&line?)?;
        let case = cases.iter().find(|case| case.name == request.case).ok_or("no such case")?;
        let inputs: Vec<WindowInput<'_>> = case.windows.iter().map(Window::input).collect();
        if let Some(file) = request.states {
            let outputs = workers.install(|| run(&model, &inputs))?;
            let bytes = outputs.iter().flat_map(|output| &output.states).flat_map(|value| value.to_le_bytes());
            fs::write(file, bytes.collect::<Vec<u8>>())?;
        }
        let began = Instant::now();
        for _ in 0..request.repeats {
            workers.install(|| run(&model, &inputs))?;
        }
        println!("{}", serde_json::json!({ "seconds": began.elapsed().as_secs_f64() }));
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// Runs the windows as the engine does, with its own code.
fn run(model: &Model, windows: &[WindowInput<'_>]) -> Result<Vec<WindowOutput>, ModelError> {
    let never = AtomicBool::new(false);
    rounds(windows).into_iter().flat_map(|round| run_round(model, &[], &windows[round], &never)).collect()
}
