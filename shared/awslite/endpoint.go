package awslite

import (
	"fmt"
	"net/url"
	"strings"
)

// The services that are called, by their signing names.
const (
	serviceDynamoDB       = "dynamodb"
	serviceKMS            = "kms"
	serviceS3             = "s3"
	serviceSecretsManager = "secretsmanager"
	serviceSQS            = "sqs"
	serviceSSM            = "ssm"
)

// An endpoint is where one service answers.
type endpoint struct {
	url    *url.URL
	custom bool // named by AWS_ENDPOINT_URL…: not AWS itself, or not by its own name
}

// endpointsOf finds the endpoint of every service that is called: the one of
// AWS_ENDPOINT_URL_<SERVICE>, of AWS_ENDPOINT_URL, or the region's own.
func endpointsOf(getenv func(string) string, region string) (map[string]endpoint, error) {
	suffix := ".amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		suffix += ".cn"
	}
	names := map[string]string{ // as the SDKs' environment variables write them
		serviceDynamoDB:       "DYNAMODB",
		serviceKMS:            "KMS",
		serviceS3:             "S3",
		serviceSecretsManager: "SECRETS_MANAGER",
		serviceSQS:            "SQS",
		serviceSSM:            "SSM",
	}
	endpoints := make(map[string]endpoint, len(names))
	for service, name := range names {
		variable := "AWS_ENDPOINT_URL_" + name
		if getenv(variable) == "" {
			variable = "AWS_ENDPOINT_URL"
		}
		address := getenv(variable)
		custom := address != ""
		if !custom {
			address = "https://" + service + "." + region + suffix
		}
		u, err := parseEndpoint(address)
		if err != nil && custom {
			return nil, fmt.Errorf("%s: %w", variable, err)
		} else if err != nil {
			return nil, fmt.Errorf("AWS_REGION %q: is not a region", region)
		}
		endpoints[service] = endpoint{url: u, custom: custom}
	}
	return endpoints, nil
}

// parseEndpoint reads the address of a service. The path ends with a slash, as
// that is what is sent and what must be signed.
func parseEndpoint(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%q is not a URL such as http://127.0.0.1:9324", address)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("%q is not a URL such as http://127.0.0.1:9324", u.Redacted())
	}
	u.Path = strings.TrimRight(u.Path, "/") + "/"
	u.RawPath = ""
	return u, nil
}
