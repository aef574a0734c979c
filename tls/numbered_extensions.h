// The library finds an extension by a number that it looks up anew, by object identifier, for each
// extension of a certificate whenever one is asked for: a binary search of all that it knows, under
// a lock of the whole process whose cache line all cores share. Reading one certificate takes a
// hundred such look-ups.
#pragma once

#include <openssl/x509.h>

namespace portcullis::tls {

// NumberExtensions gives the extensions of RFC 5280 in `certificate` the library's own objects for
// their types, which carry the number: it is looked up no more. The certificate stays what it is,
// bytes and signature included. To be called before any other thread has the certificate.
void NumberExtensions(X509* certificate);

}  // namespace portcullis::tls
