package site

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// Credentials let a user in.
type Credentials struct{ AccessKey, SecretKey string }

// EC2URL is where all query services answer, S3URL where walrus does.
func (s *Site) EC2URL() string { return fmt.Sprintf("http://%s:%d", s.front(), s.Ports["ec2"]) }

// S3URL is where walrus answers users.
func (s *Site) S3URL() string { return fmt.Sprintf("http://%s:%d", s.front(), s.Ports["s3"]) }

// front is the address on which users reach the cloud.
func (s *Site) front() string { return "127.0.0.1" }

// WriteEnv writes admin.env, which a shell sources to use the cloud, and the
// aws wrapper beside the site's programs.
func (s *Site) WriteEnv(c Credentials) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Settings of this cloud's administrator for aws, karri and most S3 tools.\n")
	for _, kv := range [][2]string{
		{"AWS_ACCESS_KEY_ID", c.AccessKey},
		{"AWS_SECRET_ACCESS_KEY", c.SecretKey},
		{"AWS_DEFAULT_REGION", s.Region},
		{"AWS_REGION", s.Region},
		{"AWS_ENDPOINT_URL", s.EC2URL()},
		{"AWS_ENDPOINT_URL_S3", s.S3URL()},
		{"AWS_EC2_METADATA_DISABLED", "true"},
	} {
		fmt.Fprintf(&b, "export %s='%s'\n", kv[0], kv[1])
	}
	fmt.Fprintf(&b, "case :$PATH: in\n*:'%[1]s':*) ;;\n*) export PATH='%[1]s':\"$PATH\" ;;\nesac\n", s.Tools())
	if err := renameio.WriteFile(s.path("admin.env"), []byte(b.String()), 0o600); err != nil {
		return err
	}
	if err := os.MkdirAll(s.Tools(), 0o755); err != nil {
		return err
	}
	if s.Bin != s.Tools() {
		if err := renameio.Symlink(filepath.Join(s.Bin, "karri"), filepath.Join(s.Tools(), "karri")); err != nil {
			return err
		}
	}
	return renameio.WriteFile(filepath.Join(s.Tools(), "aws"), []byte(awsWrapper), 0o755)
}

// awsWrapper finds the service, the first word that is not an option or an
// option's value, and adds its endpoint.
const awsWrapper = `#!/bin/sh
# aws for this cloud: Debian 12's aws does not read AWS_ENDPOINT_URL, so the
# endpoint of the service is added here. All else is the real aws.
here=$(dirname "$(readlink -f "$0")")
real=/usr/bin/aws
if [ ! -x "$real" ]; then
  real=$(PATH=$(printf %s "$PATH" | tr : '\n' | grep -vxF "$here" | paste -sd:) command -v aws) || {
    echo "aws: not installed; apt-get install awscli" >&2
    exit 127
  }
fi
service= value=
for word; do
  if [ -n "$value" ]; then
    value=
    continue
  fi
  case $word in
  --endpoint-url | --endpoint-url=*) exec "$real" "$@" ;;
  --region | --output | --query | --profile | --color | --ca-bundle | --cli-read-timeout | --cli-connect-timeout | --cli-binary-format) value=yes ;;
  -*) ;;
  *) [ -n "$service" ] || service=$word ;;
  esac
done
case $service in
'' | configure | help) exec "$real" "$@" ;;
s3 | s3api) exec "$real" --endpoint-url "$AWS_ENDPOINT_URL_S3" "$@" ;;
*) exec "$real" --endpoint-url "$AWS_ENDPOINT_URL" "$@" ;;
esac
`
