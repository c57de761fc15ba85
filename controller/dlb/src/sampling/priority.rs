//! Real-time priority for the current thread.

use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// Above the kernel's threaded interrupts (50) would starve the bus that we wait for.
const PRIORITY: u8 = 40;

/// First in, first out. The answer says why it could not be had.
pub(super) fn real_time() -> Result<(), String> {
    let value = ThreadPriorityValue::try_from(PRIORITY).map_err(|error| error.to_string())?;
    set_thread_priority_and_policy(
        thread_native_id(),
        ThreadPriority::Crossplatform(value),
        ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo),
    )
    .map_err(|error| format!("{error:?}"))
}
