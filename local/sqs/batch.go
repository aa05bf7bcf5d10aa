package sqs

// checkBatch checks what a batch has wrong as a whole.
func checkBatch[E interface{ entryID() string }](entries []E) *Error {
	if len(entries) == 0 {
		return serviceError("EmptyBatchRequest", "There should be at least one entry in the request.")
	}
	if len(entries) > maxEntries {
		return serviceError("TooManyEntriesInBatchRequest", "Maximum number of entries per request are %d. You have sent %d.", maxEntries, len(entries))
	}
	seen := make(map[string]bool, len(entries))
	for _, e := range entries {
		id := e.entryID()
		if !entryIDs.MatchString(id) {
			return serviceError("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		}
		if seen[id] {
			return serviceError("BatchEntryIdsNotDistinct", "Id %s repeated.", id)
		}
		seen[id] = true
	}
	return nil
}

// failure is an entry that was refused, with the code that the query protocol has
// for it: that is what AWS puts into batches.
func failure(id string, e *Error) batchFailure {
	return batchFailure{ID: id, SenderFault: e.sender(), Code: e.queryCode(), Message: e.Message}
}

// outcome sorts the ids of a batch by what became of them.
func outcome(ids []string, refused []*Error) batchAnswer[batchSuccess] {
	var answer batchAnswer[batchSuccess]
	for i, id := range ids {
		if refused[i] != nil {
			answer.Failed = append(answer.Failed, failure(id, refused[i]))
			continue
		}
		answer.Successful = append(answer.Successful, batchSuccess{id})
	}
	return answer
}
