package dynamodb

// The limits that AWS documents, and that a program should meet here first.
const (
	maxItemBytes        = 400 << 10
	maxHashKeyBytes     = 2048
	maxRangeKeyBytes    = 1024
	maxNesting          = 32 // levels, the attribute's own included
	maxExpressionBytes  = 4096
	maxExpressionNodes  = 300 // operators and functions in one expression
	maxExpressionDepth  = 150 // of nested parentheses and operands; ours, so that no input exhausts the stack
	maxInOperands       = 100
	maxValuesBytes      = 2 << 20 // of ExpressionAttributeValues together
	maxNameBytes        = 65535   // of an attribute
	maxKeyNameBytes     = 255
	maxListIndex        = 1<<31 - 1
	maxBatchGet         = 100
	maxBatchWrite       = 25
	maxTransact         = 100
	maxTransactBytes    = 4 << 20
	maxAnswerBytes      = 16 << 20
	maxPageBytes        = 1 << 20
	maxRequestBytes     = 32 << 20 // 16 MiB of data, and what JSON and base64 add
	maxSegments         = 1_000_000
	maxGlobalIndexes    = 20
	maxLocalIndexes     = 5
	maxJSONDepth        = 128
	writeUnitBytes      = 1 << 10
	readUnitBytes       = 4 << 10
	maxClientTokenBytes = 36
)
