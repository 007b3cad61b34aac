//! Spans for a profiler, named after the rooms. Without the feature `trace` there are none, and what they would show is not even
//! computed.

/// Opens a span that ends with the block in which it stands: `trace_room!("link", id = manifest.identity.id)`.
///
/// They are of the level `INFO`, as Bevy's are, because its log leaves out the lower ones.
macro_rules! trace_room {
    ($($span:tt)+) => {
        #[cfg(feature = "trace")]
        let _room = ::tracing::info_span!($($span)+).entered();
    };
}
