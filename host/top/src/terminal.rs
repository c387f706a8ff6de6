//! The terminal: taken over, drawn on, and given back.

use crate::snapshot::Snapshot;
use crate::view::View;
use crossterm::cursor;
use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::Terminal;
use ratatui_crossterm::CrosstermBackend;
use std::io::{self, Stdout};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

/// Longest that a key waits to be seen, or an answer to be shown.
const LOOK: Duration = Duration::from_millis(50);

/// Shows a view on this process's terminal until `q`, Escape or Ctrl-C. `ask` is called every `interval`, on a thread of its
/// own, so that a host that does not answer holds nothing up; an error is shown, and what was known before stays.
///
/// # Errors
/// The terminal cannot be read or written.
pub fn run(
    view: &mut View,
    interval: Duration,
    ask: impl FnMut() -> Result<Snapshot, String> + Send + 'static,
) -> io::Result<()> {
    let (_stop, answers) = asking(interval, ask);
    let mut screen = Screen::enter()?;
    let mut changed = true;
    loop {
        if changed {
            screen.terminal.draw(|frame| view.render(frame.area(), frame.buffer_mut()))?;
            changed = false;
        }
        if event::poll(LOOK)? {
            match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    let interrupt = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
                    if interrupt || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc) {
                        return Ok(());
                    }
                }
                Event::Resize(..) => changed = true,
                _ => {}
            }
        }
        for answer in answers.try_iter() {
            match answer {
                Ok(snapshot) => view.show(snapshot),
                Err(why) => view.away(&why),
            }
            changed = true;
        }
    }
}

/// Asks until the first of what it gives is dropped.
fn asking(
    interval: Duration,
    mut ask: impl FnMut() -> Result<Snapshot, String> + Send + 'static,
) -> (mpsc::Sender<()>, Receiver<Result<Snapshot, String>>) {
    let (stop, stopped) = mpsc::channel::<()>();
    // One answer waits at most: what is not shown yet is old when the next one comes.
    let (answer, answers) = mpsc::sync_channel(1);
    std::thread::spawn(move || {
        loop {
            if answer.send(ask()).is_err() {
                return;
            }
            if stopped.recv_timeout(interval) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    });
    (stop, answers)
}

/// The terminal while it is ours.
struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    fn enter() -> io::Result<Self> {
        enable_raw_mode()?;
        // From here on the terminal is given back, whatever happens.
        let screen = Terminal::new(CrosstermBackend::new(io::stdout())).map(|terminal| Self { terminal });
        if screen.is_err() {
            let _ = disable_raw_mode();
        }
        let screen = screen?;
        // The other screen is empty. To clear it is to ask where the cursor is, which not every terminal answers.
        execute!(io::stdout(), EnterAlternateScreen, cursor::Hide)?;
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = execute!(io::stdout(), LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_goes_away_is_asked_again_until_nobody_listens() {
        let (asked, counted) = mpsc::channel();
        let mut number = 0;
        let (stop, answers) = asking(Duration::from_millis(1), move || {
            number += 1;
            let _ = asked.send(number);
            if number == 2 { Err("away".to_owned()) } else { Ok(Snapshot::default()) }
        });
        let seen: Vec<_> = answers.iter().take(3).map(|answer| answer.is_ok()).collect();
        assert_eq!(seen, [true, false, true]);
        drop((stop, answers));
        while counted.recv_timeout(Duration::from_secs(5)).is_ok() {}
        assert_eq!(counted.try_recv(), Err(mpsc::TryRecvError::Disconnected), "the thread has ended");
    }
}
