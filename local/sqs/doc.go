// Package sqs is an SQS that lives in this process: the queues of `pushpull dev`.
// The AWS SDKs, the aws command line and our own client talk to it over HTTP in
// the AWS JSON 1.0 protocol; the event source mappings of the local stack call it
// directly.
//
// Its one invariant: what was answered survives kill -9. A message whose send was
// answered is delivered until it is deleted, expires or is purged; one whose
// deletion was answered never comes back.
//
// What differs from AWS, and is meant to: a queue may be created again at once
// after it was deleted, and purged as often as one likes (AWS asks for a minute
// between); a purge is done when it is answered; signatures are not checked;
// server-side encryption settings are kept but nothing is encrypted; AddPermission
// and RemovePermission are refused; the attempt ids of ReceiveMessage are forgotten
// when the process ends.
package sqs
