package sqstest

// ElasticMQ is where ElasticMQ 1.7.1 departs from AWS: the cases that it cannot
// pass, each with what it does instead.
func ElasticMQ() map[string]string {
	return map[string]string{}
}
