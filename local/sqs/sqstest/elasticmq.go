package sqstest

// ElasticMQ is where ElasticMQ 1.7.1 differs from AWS, as found by this suite.
func ElasticMQ() Departures {
	return Departures{
		Codes: map[string][]string{
			"InvalidParameterValue": {"InvalidAttributeValue", "InvalidAttributeName"},
			"MissingParameter":      {"InvalidAttributeValue"},
		},
		Cases: map[string]string{
			"a batch is at most a mebibyte altogether":                                    "answers InvalidAttributeValue",
			"a bad message in a batch fails alone":                                        "answers InvalidAttributeValue",
			"a dead-letter queue of another type is refused":                              "takes it",
			"a finished task says how many it moved":                                      "counts what is left to move, not what there was",
			"a group with a backlog does not hold up the others":                          "has no fair queues",
			"a handle of a FIFO queue expires with its visibility timeout":                "deletes the message",
			"a list-queues page has at most a thousand queues":                            "does not page",
			"a queue may name whose dead letters it takes":                                "ignores RedriveAllowPolicy",
			"a queue may refuse to be a dead-letter queue":                                "ignores RedriveAllowPolicy",
			"a queue takes a mebibyte and keeps it four days by default":                  "does not have these attributes",
			"a queue that is no dead-letter queue has nothing to move":                    "does not answer",
			"a running task can be cancelled":                                             "forgets a task once it has ended",
			"a standard queue has no attributes of FIFO queues":                           "takes them",
			"a task for a queue that is not there is refused":                             "answers QueueDoesNotExist",
			"a trace header travels with the message":                                     "has no digest of system attributes",
			"a visibility timeout is at most twelve hours":                                "takes any",
			"an attribute out of its range is refused":                                    "does not check DelaySeconds",
			"an attribute that SQS does not have is refused":                              "ignores it",
			"an empty batch is refused":                                                   "takes it",
			"an empty batch of deletions is refused":                                      "takes it",
			"an id of a batch has letters, digits, hyphens and underscores, up to 80":     "takes an empty id",
			"control characters are refused":                                              "answers InvalidAttributeValue",
			"deduplication may be within the group":                                       "has no DeduplicationScope",
			"deleting twice is no error":                                                  "forgets the handle, and refuses it",
			"names of attributes are limited as AWS limits them":                          "takes any",
			"only the attributes that were asked for are answered, by name and by prefix": "does not know prefixes",
			"queues are listed in pages":                                                  "does not page",
			"the attributes of a message count towards its size":                          "does not count them",
			"the dead-letter queue must be there":                                         "answers QueueDoesNotExist",
			"the queue's own limit holds":                                                 "has no MaximumMessageSize",
			"the size is counted in bytes, not in characters":                             "has no MaximumMessageSize",
			"the visibility of a deleted message cannot be changed":                       "forgets the handle, and calls it invalid",
			"the visibility of a message that is not in flight cannot be changed":         "changes it",
		},
	}
}
