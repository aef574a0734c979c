// The sections of the configuration file, one reader each: from a YAML mapping to a struct of
// config.h, everything that can be judged by the section alone. What needs another section is
// Validate's. Used by ParseConfig; one thread.
#pragma once

#include <cstddef>

#include "core/config/map_reader.h"

namespace portcullis::config {

// ReadGlobals takes workers, pin_workers, admin, log, timeouts, limits, tickets and reload from the
// top level.
void ReadGlobals(ReadContext& context, MapReader& top, Config& config);

// ReadTls takes the field `tls` over `tls`, which holds the defaults. The merged versions must be
// in order.
void ReadTls(ReadContext& context, MapReader& parent, Tls& tls);

// ReadVirtualHost reads virtual_hosts[i]; `defaults` come from the top-level `tls`.
VirtualHost ReadVirtualHost(ReadContext& context, Value value, const Tls& defaults);

// ReadListener reads listeners[i]. `hosts` and `default_host` stay empty where absent.
Listener ReadListener(ReadContext& context, Value value);

// ReadPolicy takes the field `policy` of a client_auth section: rules of which every value has the
// form of its field (tls::CanonicalValue).
void ReadPolicy(ReadContext& context, MapReader& parent, tls::PolicySpec& policy);

// ReadTrust reads trusts[i]. Looks whether FOLDER/ca.crl is there; opens nothing.
Trust ReadTrust(ReadContext& context, Value value);

// ReadBackend reads backends[i].
Backend ReadBackend(ReadContext& context, Value value);

}  // namespace portcullis::config
