// Exit codes of every subcommand, for scripts and service managers. Constants only.
#pragma once

namespace portcullis::server {

inline constexpr int kExitSuccess = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitRejected = 1;  // `verify`: the certificate is refused
inline constexpr int kExitUnknown = 2;   // `verify`: no verdict, for want of something to judge by
inline constexpr int kExitConfig =
    78;  // EX_CONFIG: the configuration, or a machine without what serving needs

}  // namespace portcullis::server
