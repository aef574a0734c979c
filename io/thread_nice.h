// Being nice: a helper thread that steps back when it shares a core with a worker.
#pragma once

namespace portcullis::io {

// BeNice gives the calling thread a smaller share of a contended core, as nice(1) does a process:
// kHelperNice is a tenth of a worker's, and the worker goes first when both want to run. Nothing
// changes on a core of one's own. Best effort: a thread that may not is slower for others, not
// wrong.
inline constexpr int kHelperNice = 10;
void BeNice(int nice);

}  // namespace portcullis::io
