// Exit codes of every subcommand, for scripts and service managers. Constants only.
#pragma once

namespace portcullis::server {

inline constexpr int kExitSuccess = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitConfig =
    78;  // EX_CONFIG: the configuration, or a machine without what serving needs

}  // namespace portcullis::server
