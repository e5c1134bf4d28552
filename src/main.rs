//! The program: see the library for everything.

fn main() -> std::process::ExitCode {
    calsyncd::cli::main()
}
