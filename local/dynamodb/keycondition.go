package dynamodb

// A keyCondition is a Query's KeyConditionExpression made into a range of keys.
type keyCondition struct {
	schema    keySchema
	hash      value
	partition []byte // what all keys in the partition begin with
	low, high []byte // the range: low <= key < high
}

// parseKeyCondition reads the expression for a table or index with the schema.
func parseKeyCondition(text string, sc *scope, k keySchema) (*keyCondition, error) {
	n, err := parseCondition("KeyConditionExpression", text, sc)
	if err != nil {
		return nil, err
	}
	byName := map[string]*node{}
	for _, part := range conjuncts(n) {
		name, ok, err := keyTerm(part)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, invalid("Invalid operator used in KeyConditionExpression: %s", part.op)
		}
		if byName[name] != nil {
			return nil, invalid("KeyConditionExpressions must only contain one condition per key")
		}
		byName[name] = part
	}
	return newKeyCondition(byName, k)
}

func conjuncts(n *node) []*node {
	if n.op != opAnd {
		return []*node{n}
	}
	var all []*node
	for _, arg := range n.args {
		all = append(all, conjuncts(arg)...)
	}
	return all
}

// keyTerm checks one condition and puts its attribute on the left; ok is false
// where its operator is not for keys.
func keyTerm(n *node) (name string, ok bool, err error) {
	switch n.op {
	case opEqual, opLess, opAtMost, opMore, opAtLeast:
		if n.args[0].op == opValue && n.args[1].op == opPath {
			n.op = mirrored(n.op)
			n.args[0], n.args[1] = n.args[1], n.args[0]
		}
	case opBetween, opBegins:
	default:
		return "", false, nil
	}
	first := n.args[0]
	if first.op != opPath {
		return "", false, invalid("Invalid condition in KeyConditionExpression: No key attribute specified")
	}
	for _, arg := range n.args[1:] {
		switch arg.op {
		case opValue:
		case opPath:
			return "", false, invalid("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
		default:
			return "", false, invalid("KeyConditionExpressions cannot contain nested operations")
		}
	}
	if len(first.path) > 1 {
		return "", false, invalid("Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: %s", first.path[0].name)
	}
	return first.path[0].name, true, nil
}

func mirrored(op operator) operator {
	switch op {
	case opLess:
		return opMore
	case opAtMost:
		return opAtLeast
	case opMore:
		return opLess
	case opAtLeast:
		return opAtMost
	default: // the rest goes on below
	}
	return op
}

func newKeyCondition(byName map[string]*node, k keySchema) (*keyCondition, error) {
	hash, found := byName[k.hash.name]
	if !found {
		return nil, invalid("Query condition missed key schema element: %s", k.hash.name)
	}
	if len(byName) > 2 {
		return nil, invalid("Conditions can be of length 1 or 2 only")
	}
	if hash.op != opEqual {
		return nil, invalid("Query key condition not supported")
	}
	if err := checkKeyTerm(hash, k.hash, false); err != nil {
		return nil, err
	}
	c := &keyCondition{schema: k, hash: hash.args[1].value}
	c.partition = partitionPrefix(c.hash)
	c.low, c.high = c.partition, after(c.partition)
	if len(byName) == 1 {
		return c, nil
	}
	sort := byName[k.sort.name]
	if sort == nil || k.sort.name == "" {
		return nil, invalid("Query condition missed key schema element: %s", k.sort.name)
	}
	if err := checkKeyTerm(sort, k.sort, true); err != nil {
		return nil, err
	}
	c.narrow(sort)
	return c, nil
}

func checkKeyTerm(n *node, a keyAttribute, sort bool) error {
	for _, arg := range n.args[1:] {
		if arg.value.kind != a.kind {
			return invalidValue("Condition parameter type does not match schema type")
		}
		if n.op == opBegins && arg.value.text == "" {
			continue
		}
		if err := checkKeyContent(a.name, arg.value, sort); err != nil {
			return err
		}
	}
	return nil
}

// narrow cuts the range to what the condition on the sort key allows. A key
// may go on behind the sort key (in an index), so "at most" is up to what
// comes after all keys with that prefix.
func (c *keyCondition) narrow(n *node) {
	key := func(v value) []byte { return appendKeyValue(append([]byte(nil), c.partition...), v) }
	first := n.args[1].value
	switch n.op {
	case opEqual:
		c.low, c.high = key(first), after(key(first))
	case opLess:
		c.high = key(first)
	case opAtMost:
		c.high = after(key(first))
	case opMore:
		c.low = after(key(first))
	case opAtLeast:
		c.low = key(first)
	case opBetween:
		c.low, c.high = key(first), after(key(n.args[2].value))
	case opBegins:
		prefix := appendKeyPrefix(append([]byte(nil), c.partition...), first.text)
		c.low, c.high = prefix, after(prefix)
	default: // the rest goes on below
	}
}
