package dynamodb

import "slices"

// A request holds the fields of the calls that read and write items. A nil
// pointer, item or map is a field that was not there.
type request struct {
	table       string
	index       string
	key         item
	item        item
	names       map[string]string
	values      map[string]value
	condition   *string
	update      *string
	keyCond     *string
	filter      *string
	projection  *string
	returns     string // ReturnValues
	onFailure   string // ReturnValuesOnConditionCheckFailure
	capacity    string // ReturnConsumedCapacity
	collections string // ReturnItemCollectionMetrics
	choose      string // Select
	start       item   // ExclusiveStartKey
	limit       *int
	segment     *int
	segments    *int
	consistent  bool
	backward    bool
	token       string
	keys        []item
	batch       []batchTable
	transaction []transactItem
	valuesBytes int
}

// A batchTable is one table's part of a batch.
type batchTable struct {
	name   string
	get    *request // of BatchGetItem
	writes []transactItem
}

// A transactItem is one write or read of a batch or a transaction.
type transactItem struct {
	verb    string // Put, Update, Delete, ConditionCheck, Get; PutRequest, DeleteRequest
	request *request
}

// fields reads each field that a call may have. A call lists those it takes.
var fields = map[string]func(*request, *reader) error{
	"TableName":                           text(func(q *request) *string { return &q.table }),
	"IndexName":                           text(func(q *request) *string { return &q.index }),
	"Key":                                 attributes(func(q *request) *item { return &q.key }),
	"Item":                                attributes(func(q *request) *item { return &q.item }),
	"ExclusiveStartKey":                   attributes(func(q *request) *item { return &q.start }),
	"ConditionExpression":                 optionalText(func(q *request) **string { return &q.condition }),
	"UpdateExpression":                    optionalText(func(q *request) **string { return &q.update }),
	"KeyConditionExpression":              optionalText(func(q *request) **string { return &q.keyCond }),
	"FilterExpression":                    optionalText(func(q *request) **string { return &q.filter }),
	"ProjectionExpression":                optionalText(func(q *request) **string { return &q.projection }),
	"ExpressionAttributeNames":            readNames,
	"ExpressionAttributeValues":           readValues,
	"ReturnValues":                        text(func(q *request) *string { return &q.returns }),
	"ReturnValuesOnConditionCheckFailure": choice("returnValuesOnConditionCheckFailure", func(q *request) *string { return &q.onFailure }, "ALL_OLD", "NONE"),
	"ReturnConsumedCapacity":              choice("returnConsumedCapacity", func(q *request) *string { return &q.capacity }, "INDEXES", "TOTAL", "NONE"),
	"ReturnItemCollectionMetrics":         choice("returnItemCollectionMetrics", func(q *request) *string { return &q.collections }, "SIZE", "NONE"),
	"Select":                              choice("select", func(q *request) *string { return &q.choose }, "SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"),
	"Limit":                               integer("limit", 1, 1<<31-1, func(q *request) **int { return &q.limit }),
	"Segment":                             integer("segment", 0, maxSegments-1, func(q *request) **int { return &q.segment }),
	"TotalSegments":                       integer("totalSegments", 1, maxSegments, func(q *request) **int { return &q.segments }),
	"ConsistentRead":                      flag(func(q *request, v bool) { q.consistent = v }),
	"ScanIndexForward":                    flag(func(q *request, v bool) { q.backward = !v }),
	"ClientRequestToken":                  text(func(q *request) *string { return &q.token }),
	"Keys":                                readKeys,
}

// legacyFields are those that expressions replaced, and by which.
var legacyFields = map[string]string{
	"Expected":            "ConditionExpression",
	"ConditionalOperator": "AND and OR in the expression",
	"AttributeUpdates":    "UpdateExpression",
	"AttributesToGet":     "ProjectionExpression",
	"KeyConditions":       "KeyConditionExpression",
	"QueryFilter":         "FilterExpression",
	"ScanFilter":          "FilterExpression",
}

// readRequest reads an object that may have the fields allowed, and special
// ones that this call alone reads.
func readRequest(r *reader, allowed []string, special map[string]func(*request, *reader) error) (*request, error) {
	q := &request{}
	err := r.object(func(name string) error {
		read, known := special[name]
		if !known {
			read, known = fields[name]
			known = known && slices.Contains(allowed, name)
		}
		switch {
		case known && r.null():
			return nil
		case known:
			return read(q, r)
		case legacyFields[name] != "":
			return invalid("the legacy parameter %s is not supported by the local endpoint: use %s", name, legacyFields[name])
		}
		return invalid("the parameter %s is not known, or not supported by the local endpoint, for this call", name)
	})
	return q, err
}

func text(field func(*request) *string) func(*request, *reader) error {
	return func(q *request, r *reader) (err error) {
		*field(q), err = r.string()
		return err
	}
}

func optionalText(field func(*request) **string) func(*request, *reader) error {
	return func(q *request, r *reader) error {
		s, err := r.string()
		*field(q) = &s
		return err
	}
}

func choice(name string, field func(*request) *string, allowed ...string) func(*request, *reader) error {
	return func(q *request, r *reader) error {
		s, err := r.string()
		if err == nil && !slices.Contains(allowed, s) {
			err = invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: %s",
				s, name, bracketed(allowed))
		}
		*field(q) = s
		return err
	}
}

func integer(name string, least, most int, field func(*request) **int) func(*request, *reader) error {
	return func(q *request, r *reader) error {
		n, err := r.int()
		if err != nil {
			return err
		}
		*field(q) = &n
		return checkRange(name, n, least, most)
	}
}

func checkRange(name string, n, least, most int) error {
	const constraint = "1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value %s than or equal to %d"
	if n < least {
		return invalid(constraint, n, name, "greater", least)
	}
	if n > most {
		return invalid(constraint, n, name, "less", most)
	}
	return nil
}

func flag(set func(*request, bool)) func(*request, *reader) error {
	return func(q *request, r *reader) error {
		v, err := r.bool()
		set(q, v)
		return err
	}
}

func attributes(field func(*request) *item) func(*request, *reader) error {
	return func(q *request, r *reader) (err error) {
		*field(q), err = r.item()
		return err
	}
}

func readKeys(q *request, r *reader) error {
	q.keys = []item{}
	return r.array(func() error {
		key, err := r.item()
		q.keys = append(q.keys, key)
		return err
	})
}

func readNames(q *request, r *reader) error {
	q.names = map[string]string{}
	return r.object(func(key string) error {
		name, err := r.string()
		if err != nil {
			return err
		}
		if !isPlaceholder(key, '#') {
			return invalid("ExpressionAttributeNames contains invalid key: Syntax error; key: %q", key)
		}
		if name == "" {
			return invalid("ExpressionAttributeNames contains invalid value: Empty attribute name for key %s", key)
		}
		if len(name) > maxNameBytes {
			return invalid("ExpressionAttributeNames contains invalid value: Attribute name exceeds the maximum length; key: %s", key)
		}
		q.names[key] = name
		return nil
	})
}

func readValues(q *request, r *reader) error {
	q.values = map[string]value{}
	return r.object(func(key string) error {
		v, err := r.value()
		if e, ok := err.(*apiError); ok && e.code == codeValidation { //nolint:errorlint // made here, never wrapped
			return invalid("ExpressionAttributeValues contains invalid value: %s for key %s", e.message, key)
		}
		if err != nil {
			return err
		}
		if !isPlaceholder(key, ':') {
			return invalid("ExpressionAttributeValues contains invalid key: Syntax error; key: %q", key)
		}
		if v.depth() > maxNesting {
			return invalid("Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")
		}
		q.values[key] = v
		if q.valuesBytes += len(key) + v.size(); q.valuesBytes > maxValuesBytes {
			return invalid("Expression attribute values exceed the maximum allowed size of %d bytes", maxValuesBytes)
		}
		return nil
	})
}

func isPlaceholder(s string, mark byte) bool {
	if len(s) < 2 || s[0] != mark {
		return false
	}
	for i := 1; i < len(s); i++ {
		if !isWord(s[i]) {
			return false
		}
	}
	return true
}

// scope is the request's placeholders. They need an expression to be used in.
func (q *request) scope(takes string, expressions ...*string) (*scope, error) {
	used := slices.ContainsFunc(expressions, func(e *string) bool { return e != nil })
	switch {
	case !used && q.names != nil:
		return nil, invalid("ExpressionAttributeNames can only be specified when using expressions")
	case !used && q.values != nil:
		return nil, invalid("ExpressionAttributeValues can only be specified when using expressions: %s", takes)
	case q.names != nil && len(q.names) == 0:
		return nil, invalid("ExpressionAttributeNames must not be empty")
	case q.values != nil && len(q.values) == 0:
		return nil, invalid("ExpressionAttributeValues must not be empty")
	}
	return newScope(q.names, q.values), nil
}

// tables are those that the request names, for the faults.
func (q *request) tables() []string {
	var names []string
	if q.table != "" {
		names = append(names, q.table)
	}
	for _, b := range q.batch {
		names = append(names, b.name)
	}
	for _, t := range q.transaction {
		names = append(names, t.request.table)
	}
	return names
}
