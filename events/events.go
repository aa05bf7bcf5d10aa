// Package events is sample invocations of the functions, exactly as AWS makes
// them: for `sam local invoke -e`, for `pushpull trigger`, and for tests.
//
// Its one invariant: they are signed with the secrets that README.md names,
// and with no other.
package events

import "embed"

// Files are the samples, by name: <provider>-<what happened>[-<variant>].json for
// the receiver.
//
//go:embed *.json
var Files embed.FS
