//! What the game knows of work that it does for the mod.

#[cfg(target_family = "wasm")]
pub(crate) use in_mod::{job_cancel, job_is_finished, job_poll};
#[cfg(not(target_family = "wasm"))]
pub(crate) use native::{job_cancel, job_is_finished, job_poll};

#[cfg(target_family = "wasm")]
mod in_mod {
    use mod_abi::JobState;

    use crate::{
        buffer::OwnedBuffer,
        ticket::{Answer, JobError, decode},
    };

    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        safe fn __job_state(ticket: u64) -> u32;
        safe fn __job_take(ticket: u64) -> u64;
        safe fn __job_cancel(ticket: u64);
    }

    pub(crate) fn job_poll<R: 'static>(ticket: u64) -> Answer<R> {
        Answer::Done(match JobState::from_raw(__job_state(ticket)) {
            JobState::Pending => return Answer::Pending,
            JobState::Done => decode(take(ticket).bytes()),
            JobState::Failed => {
                Err(JobError::Failed { reason: String::from_utf8_lossy(take(ticket).bytes()).into_owned() })
            }
            JobState::Unknown => Err(JobError::Unknown),
        })
    }

    fn take(ticket: u64) -> OwnedBuffer {
        // SAFETY: the contract has the host answer with a buffer from `__alloc_buffer` that it gives away.
        unsafe { OwnedBuffer::from_raw(__job_take(ticket)) }
    }

    pub(crate) fn job_is_finished(ticket: u64) -> bool {
        JobState::from_raw(__job_state(ticket)) != JobState::Pending
    }

    pub(crate) fn job_cancel(ticket: u64) {
        __job_cancel(ticket);
    }
}

#[cfg(not(target_family = "wasm"))]
mod native {
    use crate::{
        testing::jobs,
        ticket::{Answer, JobError},
    };

    pub(crate) fn job_poll<R: 'static>(ticket: u64) -> Answer<R> {
        match jobs::take(ticket) {
            Some(None) => Answer::Pending,
            Some(Some(result)) => Answer::Done(result),
            None => Answer::Done(Err(JobError::Unknown)),
        }
    }

    pub(crate) fn job_is_finished(ticket: u64) -> bool {
        jobs::is_finished(ticket)
    }

    pub(crate) fn job_cancel(ticket: u64) {
        jobs::cancel(ticket);
    }
}
