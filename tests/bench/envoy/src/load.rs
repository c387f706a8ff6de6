//! Callers at work: a counted number of exchanges, each of them checked.

use crate::caller::{Caller, Got};
use crate::fault::Fault;
use crate::stage::Stage;
use crate::workload::Workload;
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Callers, each with a connection and a lane of its own.
///
/// # Errors
/// The stage has fewer lanes.
pub(crate) fn callers(port: u16, stage: &Stage, count: usize) -> Result<Vec<Caller>, Fault> {
    (0..count)
        .map(|number| {
            let lane = stage.lane(number).ok_or_else(|| Fault::Option(format!("there is no lane {number}")))?;
            Ok(Caller::new(port, number, lane))
        })
        .collect()
}

/// Makes `count` exchanges, every caller the next as soon as the last is over; gives the callers back.
///
/// # Errors
/// An exchange brought something else than the provider sent.
pub(crate) async fn all(callers: Vec<Caller>, workload: &Rc<Workload>, count: usize) -> Result<Vec<Caller>, Fault> {
    let left = Rc::new(Cell::new(count));
    let mut tasks = JoinSet::new();
    for mut caller in callers {
        let (left, workload) = (Rc::clone(&left), Rc::clone(workload));
        tasks.spawn_local(async move {
            let request = workload.request(caller.number());
            while let Some(rest) = left.get().checked_sub(1) {
                left.set(rest);
                checked(&mut caller, &request, &workload).await?;
            }
            Ok(caller)
        });
    }
    let mut back = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        back.push(ended.map_err(|error| Fault::Option(format!("a caller failed: {error}")))??);
    }
    Ok(back)
}

/// Makes `count` exchanges one after the other; gives their times, or where the answer goes in steps the times of the
/// steps from the provider's write to the caller's read.
///
/// # Errors
/// An exchange brought something else than the provider sent.
pub(crate) async fn times(caller: &mut Caller, workload: &Workload, count: usize) -> Result<Vec<Duration>, Fault> {
    let request = workload.request(caller.number());
    if workload.stepwise {
        caller.lane().keep_delays();
    }
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begun = Instant::now();
        checked(caller, &request, workload).await?;
        times.push(begun.elapsed());
    }
    Ok(if workload.stepwise { caller.lane().take_delays() } else { times })
}

async fn checked(caller: &mut Caller, request: &[u8], workload: &Workload) -> Result<(), Fault> {
    let got = caller.call(request, &workload.answer).await?;
    let harm = harm(got, caller.lane().request_bytes(), workload);
    harm.map_or(Ok(()), |what| Err(Fault::Harmed { workload: workload.name.to_owned(), what }))
}

fn harm(got: Got, request_bytes: usize, workload: &Workload) -> Option<String> {
    let answer = &workload.answer;
    if got.status != answer.status {
        return Some(format!("status {} instead of {}", got.status, answer.status));
    }
    if got.body != answer.body {
        return Some(format!("a body of {} bytes instead of {}", got.body, answer.body));
    }
    if request_bytes != workload.request.len() {
        return Some(format!("a request of {request_bytes} bytes instead of {}", workload.request.len()));
    }
    // Envoy makes one HTTP chunk of every part that its filters get.
    if workload.stepwise && got.chunks != answer.chunks {
        return Some(format!("{} reads of Envoy instead of {}", got.chunks, answer.chunks));
    }
    None
}
