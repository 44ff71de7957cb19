//go:build real

package ec2

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/account"
	"karri/cloudctl/sts"
	"karri/shared/action"
	"karri/shared/sign"
)

// A cli is the system's own aws command line before a world, with ann's key.
type cli struct {
	*world
	env []string
}

func newCLI(t *testing.T) *cli {
	t.Helper()
	w := newWorld(t)
	key, err := w.book.RotateKey(t.Context(), w.accounts["ann"])
	if err != nil {
		t.Fatal(err)
	}
	w.door.Services = append(w.door.Services, sts.Catalog.With(&sts.API{}))
	unsigned := w.door.Who
	w.door.Who = func(r *http.Request, name string) (action.Caller, error) {
		if r.Header.Get("Who") != "" {
			return unsigned(r, name)
		}
		v := sign.Verifier{Dialect: sign.Query, Region: w.api.Region, Services: []string{name}, Keys: w.book}
		if name == "ec2" {
			v.Dialect = sign.EC2
		}
		id, _, err := v.Verify(r)
		return action.Caller{Account: id.Account, ARN: id.ARN, UserID: id.Account}, err
	}
	server := httptest.NewServer(w.door)
	t.Cleanup(server.Close)
	return &cli{w, append(os.Environ(), "AWS_ACCESS_KEY_ID="+key.AccessKey, "AWS_SECRET_ACCESS_KEY="+key.Secret, "AWS_DEFAULT_REGION=us-east-1",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_PAGER=", "ENDPOINT="+server.URL)}
}

// try runs one command, as on a command line without quotes.
func (c *cli) try(command string, more ...string) (string, error) {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), time.Minute)
	defer cancel()
	endpoint := strings.TrimPrefix(c.env[len(c.env)-1], "ENDPOINT=")
	cmd := exec.CommandContext(ctx, "/usr/bin/aws", append(append([]string{"--endpoint-url", endpoint}, strings.Fields(command)...), more...)...)
	cmd.Env = c.env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return strings.TrimSpace(stderr.String()), err
	}
	return strings.TrimSpace(string(out)), nil
}

func (c *cli) text(command string, more ...string) string {
	c.Helper()
	out, err := c.try(command+" --output text", more...)
	if err != nil {
		c.Fatalf("aws %s %v: %v: %s", command, more, err, out)
	}
	return out
}

func (c *cli) is(want, command string, more ...string) {
	c.Helper()
	if got := strings.Join(strings.Fields(c.text(command, more...)), " "); got != want {
		c.Errorf("aws %s %v: %q, not %q", command, more, got, want)
	}
}

func (c *cli) refuses(code, command string, more ...string) {
	c.Helper()
	if out, err := c.try(command, more...); err == nil || !strings.Contains(out, "("+code+")") {
		c.Errorf("aws %s %v: want %s, got %v: %s", command, more, code, err, out)
	}
}

func TestGroupsByTheCommandLine(t *testing.T) {
	c := newCLI(t)
	c.is(c.accounts["ann"]+" "+account.RootARN(c.accounts["ann"]), "sts get-caller-identity --query [Account,Arn]")
	g := c.text("ec2 create-security-group --group-name web --query GroupId --tag-specifications ResourceType=security-group,Tags=[{Key=Name,Value=w}]", "--description", "web servers")
	c.text("ec2 wait security-group-exists --group-ids " + g)
	rule := c.text("ec2 authorize-security-group-ingress --group-id " + g + " --protocol tcp --port 22 --cidr 0.0.0.0/0 --query SecurityGroupRules[0].SecurityGroupRuleId")
	c.refuses("InvalidPermission.Duplicate", "ec2 authorize-security-group-ingress --group-name web --protocol tcp --port 22 --cidr 0.0.0.0/0")
	c.text("ec2 authorize-security-group-ingress --group-id " + g + " --protocol all --source-group default")
	c.text("ec2 authorize-security-group-ingress --group-id " + g + " --protocol icmp --port -1 --cidr 10.0.0.0/8")
	c.text("ec2 authorize-security-group-egress --group-id "+g, "--ip-permissions", `[{"IpProtocol":"udp","FromPort":53,"ToPort":53,"IpRanges":[{"CidrIp":"10.0.0.2/32","Description":"dns"}]}]`)
	c.is("22 22 -1 -1", "ec2 describe-security-groups --group-ids "+g+" --query SecurityGroups[0].IpPermissions[].[FromPort,ToPort][]|[?@!=null]")
	c.is("w", "ec2 describe-security-groups --filters Name=ip-permission.from-port,Values=22 --query SecurityGroups[].Tags[].Value")
	c.text("ec2 revoke-security-group-ingress --group-id "+g+" --security-group-rule-ids", rule)
	c.refuses("InvalidPermission.NotFound", "ec2 revoke-security-group-ingress --group-id "+g+" --protocol tcp --port 22 --cidr 0.0.0.0/0")

	// What describe shows can be given back to revoke as it is.
	permissions, err := c.try("ec2 describe-security-groups --output json --query SecurityGroups[0].IpPermissions --group-ids " + g)
	if err != nil || !json.Valid([]byte(permissions)) {
		t.Fatal(err, permissions)
	}
	c.text("ec2 revoke-security-group-ingress --group-id "+g, "--ip-permissions", permissions)
	c.is("True True", "ec2 describe-security-group-rules --filters Name=group-id,Values="+g+" --query SecurityGroupRules[].IsEgress")
	c.text("ec2 delete-security-group --group-id " + g)
	c.refuses("InvalidGroup.NotFound", "ec2 describe-security-groups --group-ids "+g)
	c.refuses("CannotDelete", "ec2 delete-security-group --group-name default")
}

func TestAddressesByTheCommandLine(t *testing.T) {
	c := newCLI(t)
	one, eni := c.run("")
	alloc := c.text("ec2 allocate-address --query AllocationId --tag-specifications ResourceType=elastic-ip,Tags=[{Key=Name,Value=a}]")
	assoc := c.text("ec2 associate-address --query AssociationId --instance-id " + one + " --allocation-id " + alloc)
	c.is(one+" "+eni+" "+assoc+" a", "ec2 describe-addresses --query Addresses[].[InstanceId,NetworkInterfaceId,AssociationId,Tags[0].Value]")
	c.is("192.0.2.9", "ec2 describe-instances --query Reservations[].Instances[].PublicIpAddress")
	c.refuses("Resource.AlreadyAssociated", "ec2 associate-address --no-allow-reassociation --instance-id "+first(c.ask("Action=RunInstances&MinCount=1&MaxCount=1&ImageId=%s", c.image), "instanceId")+" --allocation-id "+alloc)
	c.text("ec2 disassociate-address --association-id " + assoc)
	c.text("ec2 release-address --allocation-id " + alloc)
	c.is("", "ec2 describe-addresses-attribute --attribute domain-name")
	c.is("", "ec2 describe-addresses --query Addresses[]")
}

func TestTheNetworkByTheCommandLine(t *testing.T) {
	c := newCLI(t)
	_, eni := c.run("")
	vpc := c.text("ec2 describe-vpcs --filters Name=is-default,Values=true --query Vpcs[0].VpcId")
	c.text("ec2 wait vpc-available --vpc-ids " + vpc)
	subnet := c.text("ec2 describe-subnets --filters Name=vpc-id,Values=" + vpc + " --query Subnets[].SubnetId")
	c.text("ec2 wait subnet-available --subnet-ids " + subnet)
	igw := c.text("ec2 describe-internet-gateways --query InternetGateways[0].InternetGatewayId")
	c.text("ec2 wait internet-gateway-exists --internet-gateway-ids " + igw)
	c.is("local "+igw, "ec2 describe-route-tables --query RouteTables[].Routes[].GatewayId")
	c.is("True", "ec2 describe-vpc-attribute --attribute enableDnsSupport --query EnableDnsSupport.Value --vpc-id "+vpc)
	c.is(subnet, "ec2 describe-network-acls --query NetworkAcls[].Associations[].SubnetId")
	c.is("us-east-1.compute.internal", "ec2 describe-dhcp-options --query DhcpOptions[].DhcpConfigurations[0].Values[0].Value")
	c.is("in-use", "ec2 describe-network-interfaces --query NetworkInterfaces[].Status --network-interface-ids "+eni)
	c.text("ec2 modify-network-interface-attribute --no-source-dest-check --network-interface-id " + eni)
	c.is("False", "ec2 describe-network-interface-attribute --attribute sourceDestCheck --query SourceDestCheck.Value --network-interface-id "+eni)
	c.is("", "ec2 describe-nat-gateways --query NatGateways[]")
	c.refuses("InvalidVpcID.NotFound", "ec2 describe-vpcs --vpc-ids vpc-0123456789abcdef0")
	c.refuses("UnsupportedOperation", "ec2 create-vpc --cidr-block 10.0.0.0/16")
}
