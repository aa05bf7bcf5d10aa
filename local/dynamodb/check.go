package dynamodb

import "slices"

// A signature says what a function takes.
type signature struct {
	operands int
	pathOnly bool // the first operand must be a document path
	updates  bool // for update expressions; the others are for conditions
}

var functions = map[operator]signature{
	opExists:      {operands: 1, pathOnly: true},
	opNotExists:   {operands: 1, pathOnly: true},
	opType:        {operands: 2, pathOnly: true},
	opBegins:      {operands: 2},
	opContains:    {operands: 2},
	opSize:        {operands: 1},
	opIfNotExists: {operands: 2, pathOnly: true, updates: true},
	opListAppend:  {operands: 2, updates: true},
}

// check refuses, as AWS does before it looks at any item, what an operator or
// a function can never take.
func check(n *node) error {
	if f, isFunction := functions[n.op]; isFunction {
		if err := checkSignature(n, f); err != nil {
			return err
		}
	}
	for _, arg := range n.args {
		if arg.isCondition() {
			if _, isFunction := functions[arg.op]; isFunction {
				return misplaced(arg.op)
			}
			return invalid("Syntax error; token: %q, near: %q", arg.op, arg.op)
		}
		if functions[arg.op].updates && !functions[n.op].updates && n.op != opPlus && n.op != opMinus {
			return invalid("The function is not allowed in a condition expression; function: %s", arg.op)
		}
	}
	if err := checkDistinct(n); err != nil {
		return err
	}
	return checkTypes(n)
}

func checkSignature(n *node, f signature) error {
	if len(n.args) != f.operands {
		return invalid("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", n.op, len(n.args))
	}
	if f.pathOnly && n.args[0].op != opPath {
		return invalid("Operator or function requires a document path; operator or function: %s", n.op)
	}
	return nil
}

// checkDistinct refuses comparing a path with itself. Arithmetic and
// list_append of one path with itself have a meaning.
func checkDistinct(n *node) error {
	if functions[n.op].updates || n.op == opPlus || n.op == opMinus {
		return nil
	}
	if slices.ContainsFunc(n.args[min(1, len(n.args)):], n.args[0].samePath) {
		return invalid("The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %s",
			n.op, n.args[0].path)
	}
	return nil
}

func checkTypes(n *node) error {
	switch n.op {
	case opLess, opAtMost, opMore, opAtLeast:
		return operandKinds(n, kind.isKey)
	case opBetween:
		return checkBetween(n)
	case opIn:
		if len(n.args)-1 > maxInOperands {
			return invalid("The IN operator is provided with too many operands; number of operands: %d", len(n.args)-1)
		}
	case opBegins:
		return operandKinds(n, func(k kind) bool { return k == kindS || k == kindB })
	case opSize:
		return operandKinds(n, func(k kind) bool { return k != kindN && k != kindBool && k != kindNull })
	case opType:
		return checkTypeName(n)
	case opPlus, opMinus:
		return operandKinds(n, func(k kind) bool { return k == kindN })
	case opListAppend:
		return operandKinds(n, func(k kind) bool { return k == kindList })
	default: // the rest goes on below
	}
	return nil
}

// operandKinds refuses values of another kind than allowed.
func operandKinds(n *node, allowed func(kind) bool) error {
	for _, arg := range n.args {
		if arg.op == opValue && !allowed(arg.value.kind) {
			return wrongOperand(n.op, arg.value.kind)
		}
	}
	return nil
}

func wrongOperand(op operator, k kind) error {
	return invalid("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", op, k)
}

func checkBetween(n *node) error {
	if err := operandKinds(n, kind.isKey); err != nil {
		return err
	}
	low, high := n.args[1], n.args[2]
	if low.op != opValue || high.op != opValue {
		return nil
	}
	bounds := "lower bound operand: " + low.operandText() + ", upper bound operand: " + high.operandText()
	if low.value.kind != high.value.kind {
		return invalid("The BETWEEN operator requires same data type for lower and upper bounds; %s", bounds)
	}
	if compareScalars(low.value.kind, low.value.text, high.value.text) > 0 {
		return invalid("The BETWEEN operator requires upper bound to be greater than or equal to lower bound; %s", bounds)
	}
	return nil
}

func checkTypeName(n *node) error {
	arg := n.args[1]
	if arg.op != opValue {
		return invalid("Operator or function requires a value placeholder; operator or function: %s", n.op)
	}
	if arg.value.kind != kindS {
		return wrongOperand(n.op, arg.value.kind)
	}
	if !slices.Contains(kindNames[1:], arg.value.text) {
		return invalid("Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", arg.value.text)
	}
	return nil
}
