package apiauth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

func buildSigV4(b *builder) {
	b.need("service", b.auth.Service, "the signing name of the AWS service, such as execute-api")
	access, secret := b.template("access_key", b.auth.AccessKey), b.secret("secret_key", b.auth.SecretKey)
	session, region := b.template("session_token", b.auth.SessionToken), b.template("region", b.auth.Region)
	if (b.auth.AccessKey == "") != (b.auth.SecretKey == "") {
		b.wrong("access_key", "access_key and secret_key go together; without both the function's own role signs")
	}
	// S3 signs the path as it is sent; all others sign it escaped once more.
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = b.auth.Service == "s3" })
	b.sign = func(ctx context.Context, req *http.Request, body []byte) error {
		v, err := b.resolve(ctx, access, secret, session, region)
		if err != nil {
			return err
		}
		keys := aws.Credentials{AccessKeyID: access.fill(v), SecretAccessKey: secret.fill(v), SessionToken: session.fill(v)}
		if b.auth.AccessKey == "" {
			keys = aws.Credentials{
				AccessKeyID: b.env("AWS_ACCESS_KEY_ID"), SecretAccessKey: b.env("AWS_SECRET_ACCESS_KEY"), SessionToken: b.env("AWS_SESSION_TOKEN"),
			}
		}
		if !keys.HasKeys() {
			return lasting("auth.access_key", "there are no AWS keys: set access_key and secret_key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (Lambda does)")
		}
		in := or(region.fill(v), b.env("AWS_REGION"))
		if in == "" {
			return lasting("auth.region", "there is none: write the region of the API")
		}
		sum := sha256.Sum256(body)
		hash := hex.EncodeToString(sum[:])
		if b.auth.Service == "s3" {
			req.Header.Set("X-Amz-Content-Sha256", hash)
		}
		req.Header.Del("X-Amz-Security-Token") // of the last attempt
		if err := signer.SignHTTP(ctx, keys, req, hash, b.auth.Service, in, b.signClock()); err != nil {
			return lasting("auth.service", "the request cannot be signed")
		}
		return nil
	}
}

func (a *Authenticator) env(name string) string {
	if a.o.Getenv == nil {
		return ""
	}
	return a.o.Getenv(name)
}
