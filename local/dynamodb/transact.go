package dynamodb

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// A cancellationReason says what became of one item of a cancelled
// transaction.
type cancellationReason struct {
	code    string // None, ConditionalCheckFailed, ValidationError
	message string
	item    item
}

var writeVerbs = map[string][]string{
	"Put":            {"TableName", "Item", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues", "ReturnValuesOnConditionCheckFailure"},
	"Update":         {"TableName", "Key", "UpdateExpression", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues", "ReturnValuesOnConditionCheckFailure"},
	"Delete":         {"TableName", "Key", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues", "ReturnValuesOnConditionCheckFailure"},
	"ConditionCheck": {"TableName", "Key", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues", "ReturnValuesOnConditionCheckFailure"},
}

var readVerbs = map[string][]string{
	"Get": {"TableName", "Key", "ProjectionExpression", "ExpressionAttributeNames"},
}

func readTransaction(verbs map[string][]string) func(*request, *reader) error {
	return func(q *request, r *reader) error {
		return r.array(func() error {
			one, err := readOneOf(r, verbs)
			q.transaction = append(q.transaction, one)
			return err
		})
	}
}

func (q *request) checkTransactionLength() error {
	if n := len(q.transaction); n == 0 || n > maxTransact {
		return invalid("1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length between 1 and %d, and has %d", maxTransact, n)
	}
	if len(q.token) > maxClientTokenBytes {
		return invalid("1 validation error detected: Value '%s' at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to %d", q.token, maxClientTokenBytes)
	}
	return nil
}

// transactWrite does all of its writes or none.
func (s *Server) transactWrite(q *request) ([]byte, error) {
	if err := q.checkTransactionLength(); err != nil {
		return nil, err
	}
	mutations, err := s.transactMutations(q)
	if err != nil {
		return nil, err
	}
	digest := q.transactionDigest()
	cost := newCosts()
	err = s.commits.do(false, func(w *writer) error {
		repeated, err := s.repeatedToken(w, q.token, digest)
		if err != nil {
			return err
		}
		changes, err := evaluateAll(w, mutations, s.table)
		if err != nil && !repeated {
			return err
		}
		cost = transactCost(changes, mutations, repeated)
		if repeated {
			return nil
		}
		return s.writeAll(w, changes, q.token, digest)
	})
	if err != nil {
		return nil, err
	}
	o := beginObject(nil)
	cost.appendTo(o, q, true)
	return o.close(), nil
}

func (s *Server) transactMutations(q *request) ([]*mutation, error) {
	seen := newKeySet("Transaction request cannot include multiple operations on one item")
	var all []*mutation
	var failed []error
	bytes := 0
	for _, one := range q.transaction {
		if one.verb == "ConditionCheck" && one.request.condition == nil {
			return nil, missingMember("transactItems.member.conditionCheck.conditionExpression")
		}
		if one.verb == "Update" && one.request.update == nil {
			return nil, missingMember("transactItems.member.update.updateExpression")
		}
		m, err := s.mutation(one.verb, one.request)
		if err != nil && (m == nil || m.table == nil) {
			return nil, err // the request itself is wrong
		}
		failed = append(failed, err) // the item does not fit the table
		if err == nil {
			if err := seen.add(m.table, m.keyBytes); err != nil {
				return nil, err
			}
		}
		bytes += m.item.size() + m.key.size() + one.request.valuesBytes
		all = append(all, m)
	}
	if bytes > maxTransactBytes {
		return nil, invalid("Collection size of items in a transaction has exceeded the maximum allowed size of %d bytes", maxTransactBytes)
	}
	return all, cancelled(failed)
}

// evaluateAll finds all effects before any is written.
func evaluateAll(w *writer, mutations []*mutation, tables func(string) (*table, error)) ([]*change, error) {
	changes := make([]*change, len(mutations))
	failed := make([]error, len(mutations))
	for i, m := range mutations {
		changes[i], failed[i] = m.evaluate(w, tables)
		if isStoreError(failed[i]) {
			return nil, failed[i]
		}
	}
	return changes, cancelled(failed)
}

// cancelled is the answer where any item failed, with a reason for each.
func cancelled(failed []error) error {
	reasons := make([]cancellationReason, len(failed))
	codes := make([]string, len(failed))
	found := false
	for i, err := range failed {
		reasons[i].code = "None"
		if e, ok := errors.AsType[*apiError](err); ok {
			found = true
			reasons[i] = reasonFor(e)
		}
		codes[i] = reasons[i].code
	}
	if !found {
		return nil
	}
	e := failf(codeCancelled, "Transaction cancelled, please refer cancellation reasons for specific reasons [%s]", strings.Join(codes, ", "))
	e.reasons = reasons
	return e
}

func reasonFor(e *apiError) cancellationReason {
	switch e.code {
	case codeConditionFailed:
		return cancellationReason{code: "ConditionalCheckFailed", message: e.message, item: e.item}
	case codeNotFound:
		return cancellationReason{code: "ResourceNotFound", message: e.message}
	}
	return cancellationReason{code: "ValidationError", message: e.message}
}

func (s *Server) writeAll(w *writer, changes []*change, token string, digest []byte) error {
	for _, c := range changes {
		if err := c.write(w); err != nil {
			return err
		}
	}
	if token == "" {
		return nil
	}
	record, err := json.Marshal(tokenRecord{Digest: digest, Until: s.now().Add(tokenLife)})
	if err != nil {
		return err
	}
	return w.tx.Bucket(tokensBucket).Put([]byte(token), record)
}

// tokenLife is how long AWS remembers a ClientRequestToken.
const tokenLife = 10 * time.Minute

// A tokenRecord remembers a transaction, so that its repetition writes nothing.
type tokenRecord struct {
	Digest []byte
	Until  time.Time
}

func (s *Server) repeatedToken(w *writer, token string, digest []byte) (bool, error) {
	if token == "" {
		return false, nil
	}
	data := w.tx.Bucket(tokensBucket).Get([]byte(token))
	if data == nil {
		return false, nil
	}
	var record tokenRecord
	if err := json.Unmarshal(data, &record); err != nil {
		return false, err
	}
	if s.now().After(record.Until) {
		return false, nil
	}
	if string(record.Digest) != string(digest) {
		return false, failf(codeTokenMismatch, "The ClientRequestToken was used before, with other parameters")
	}
	return true, nil
}

// transactionDigest is equal for requests that ask for the same, in whatever
// order their maps were written.
func (q *request) transactionDigest() []byte {
	h := sha256.New()
	for _, one := range q.transaction {
		o := beginObject(nil)
		o.text("Verb", one.verb)
		o.text("TableName", one.request.table)
		o.item("Item", one.request.item)
		o.item("Key", one.request.key)
		o.item("Values", one.request.values)
		for _, placeholder := range slices.Sorted(maps.Keys(one.request.names)) {
			o.text(placeholder, one.request.names[placeholder])
		}
		if one.request.condition != nil {
			o.text("Condition", *one.request.condition)
		}
		if one.request.update != nil {
			o.text("Update", *one.request.update)
		}
		h.Write(o.close())
	}
	return h.Sum(nil)
}

// transactCost is twice that of the same writes alone; a repeated transaction
// costs reads instead.
func transactCost(changes []*change, mutations []*mutation, repeated bool) *costs {
	cost := newCosts()
	for i, m := range mutations {
		one := newConsumed(m.table.name())
		switch {
		case repeated:
			size := 0
			if i < len(changes) && changes[i] != nil {
				size = changes[i].old.size()
			}
			one.own = readUnits(size, true)
		default:
			one = changes[i].consumed()
		}
		cost.add(one.double())
	}
	return cost
}

// transactGet reads all of its items at one moment.
func (s *Server) transactGet(q *request) ([]byte, error) {
	if err := q.checkTransactionLength(); err != nil {
		return nil, err
	}
	gets, err := s.transactGets(q)
	if err != nil {
		return nil, err
	}
	found := make([]item, len(gets))
	cost := newCosts()
	bytes := 0
	err = s.db.View(func(tx *bbolt.Tx) error {
		for i, g := range gets {
			var err error
			if found[i], err = readItem(tx, g.table, g.keyBytes); err != nil {
				return err
			}
			bytes += found[i].size()
			one := newConsumed(g.table.name())
			one.own = readUnits(found[i].size(), true)
			cost.add(one.double())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if bytes > maxTransactBytes {
		return nil, invalid("Collection size of items in a transaction has exceeded the maximum allowed size of %d bytes", maxTransactBytes)
	}
	o := beginObject(nil)
	o.list("Responses", len(gets), func(b []byte, i int) []byte {
		r := beginObject(b)
		if found[i] != nil {
			r.item("Item", gets[i].shown(found[i]))
		}
		return r.close()
	})
	cost.appendTo(o, q, true)
	return o.close(), nil
}

func (s *Server) transactGets(q *request) ([]*get, error) {
	seen := newKeySet("Transaction request cannot include multiple operations on one item")
	gets := make([]*get, len(q.transaction))
	failed := make([]error, len(q.transaction))
	for i, one := range q.transaction {
		if _, err := s.tableOf(one.request); err != nil {
			return nil, err
		}
		gets[i], failed[i] = s.get(one.request)
		if failed[i] != nil {
			continue
		}
		if err := seen.add(gets[i].table, gets[i].keyBytes); err != nil {
			return nil, err
		}
	}
	return gets, cancelled(failed)
}

func (s *Server) tokenEnded(data []byte) bool {
	var record tokenRecord
	return json.Unmarshal(data, &record) != nil || s.now().After(record.Until)
}
