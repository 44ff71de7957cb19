package protocol

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"karri/shared/awsmodel"
)

type tag struct{ Key, Value string }

type instanceAnswer struct {
	InstanceId       imageID
	ImageId          string
	InstanceType     string
	PrivateIpAddress *netip.Addr
	LaunchTime       time.Time
	EbsOptimized     bool
	KeyName          *string
	AmiLaunchIndex   int
	State            *struct {
		Code int
		Name string
	}
	SecurityGroups []struct{ GroupId, GroupName string }
	Tags           []tag
	Monitoring     *struct{ State string }
	Architecture   string
	Placement      *struct{ AvailabilityZone string }
}

type reservationAnswer struct {
	ReservationId string
	OwnerId       string
	Instances     []*instanceAnswer
}

type instancesAnswer struct {
	Reservations []reservationAnswer
	NextToken    *string
}

func answerPlan(t testing.TB) *Plan {
	t.Helper()
	p, err := For(awsmodel.EC2().Operations["DescribeInstances"].Output, reflect.TypeFor[instancesAnswer](), Answer)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAnswersAreWrittenAsEC2Does(t *testing.T) {
	addr := netip.MustParseAddr("10.0.0.4")
	out := instancesAnswer{Reservations: []reservationAnswer{{ReservationId: "r-1", Instances: []*instanceAnswer{{
		InstanceId: "i-1", PrivateIpAddress: &addr, LaunchTime: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.FixedZone("", 3600)),
		Tags: []tag{{"a&b", "<\x01>"}},
	}}}}}
	b, err := answerPlan(t).AppendXML(nil, &out)
	if err != nil {
		t.Fatal(err)
	}
	got := string(b)
	for _, want := range []string{
		"<reservationSet><item>", "<instanceId>i-1</instanceId>", "<privateIpAddress>10.0.0.4</privateIpAddress>", "<ebsOptimized>false</ebsOptimized>",
		"<launchTime>2026-01-02T02:04:05.678Z</launchTime>", "<amiLaunchIndex>0</amiLaunchIndex>", "<groupSet/>",
		"<tagSet><item><key>a&amp;b</key><value>&lt;\uFFFD&gt;</value></item></tagSet>",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	for _, not := range []string{"keyName", "nextToken", "instanceState>", "monitoring"} {
		if strings.Contains(got, not) {
			t.Errorf("%s in %s", not, got)
		}
	}
}

func TestAnEmptyAnswerHasItsLists(t *testing.T) {
	b, err := answerPlan(t).AppendXML(nil, &instancesAnswer{})
	if err != nil || string(b) != "<reservationSet/>" {
		t.Errorf("got %s, %v", b, err)
	}
}

func TestATypeThatIsNotOfTheModelIsRefused(t *testing.T) {
	out := awsmodel.EC2().Operations["DescribeInstances"].Output
	for _, bad := range []any{
		struct{ Colour string }{}, struct{ Reservations string }{}, struct{ Reservations []string }{},
		struct{ NextToken []byte }{}, struct{ NextToken int }{}, struct{ NextToken time.Time }{},
		struct {
			Reservations []struct{ Instances []struct{ LaunchTime string } }
		}{},
	} {
		if _, err := For(out, reflect.TypeOf(bad), Answer); err == nil {
			t.Errorf("%T is taken", bad)
		}
	}
}

func TestEveryActionsShapesHaveAPlan(t *testing.T) {
	for _, op := range awsmodel.STS().Operations {
		if _, err := For(op.Input, GoType(op.Input), Request); err != nil {
			t.Error(err)
		}
	}
	for name, op := range awsmodel.EC2().Operations {
		if strings.HasPrefix(name, "Describe") {
			if _, err := For(op.Input, GoType(op.Input), Request); err != nil {
				t.Error(err)
			}
		}
	}
}

func BenchmarkEncodeDescribeInstances(b *testing.B) {
	name, addr := "key", netip.MustParseAddr("10.0.0.4")
	var out instancesAnswer
	for range 60 {
		i := &instanceAnswer{InstanceId: "i-0123456789abcdef0", ImageId: "ami-0123456789abcdef0", InstanceType: "t3.micro", PrivateIpAddress: &addr, LaunchTime: time.Now(), KeyName: &name, Tags: []tag{{"Name", "web"}}, Architecture: "x86_64"}
		i.SecurityGroups = append(i.SecurityGroups, struct{ GroupId, GroupName string }{"sg-0123456789abcdef0", "default"})
		out.Reservations = append(out.Reservations, reservationAnswer{"r-0123456789abcdef0", "123456789012", []*instanceAnswer{i}})
	}
	p := answerPlan(b)
	for b.Loop() {
		buf, err := p.AppendXML(make([]byte, 0, 4096), &out)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(buf)))
	}
}
