//! Shell completions and man pages, made from the options themselves.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

/// Print a script for a shell, so that it completes the commands and options of this program.
///
/// Exit status: 0, or 1 if standard output can't be written.
#[derive(Debug, Args)]
#[command(after_help = "\
Where a shell finds it, for a program NAME:
  bash        NAME completions bash > ~/.local/share/bash-completion/completions/NAME
  zsh         NAME completions zsh > \"${fpath[1]}/_NAME\"
  fish        NAME completions fish > ~/.config/fish/completions/NAME.fish
  PowerShell  NAME completions powershell >> $PROFILE")]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

impl CompletionsArgs {
    /// Prints the script for a program.
    ///
    /// # Errors
    /// Standard output can't be written.
    pub fn run(&self, mut program: Command) -> io::Result<()> {
        let name = program.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut program, name, &mut script);
        io::stdout().write_all(&script)
    }
}

/// Write the man pages of this program: one for it, and one for each command.
///
/// Exit status: 0, or 1 if a page can't be written.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples, for a program NAME:
  NAME man | man -l -
  NAME man --out ~/.local/share/man/man1")]
pub struct ManArgs {
    /// The folder for all pages. Without it the page of the program is printed
    #[arg(long, short, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl ManArgs {
    /// Writes the pages of a program.
    ///
    /// # Errors
    /// A page can't be written.
    pub fn run(&self, program: Command) -> io::Result<()> {
        match &self.out {
            Some(folder) => {
                let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", folder.display()));
                std::fs::create_dir_all(folder).map_err(named)?;
                clap_mangen::generate_to(program, folder).map_err(named)
            }
            None => {
                let mut page = Vec::new();
                clap_mangen::Man::new(program).render(&mut page)?;
                io::stdout().write_all(&page)
            }
        }
    }
}
