package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
)

const hour, day = 3600.0, 86400.0

// once follows a schedule as if it were alone.
func (c cronText) once() interval {
	left := maxSteps
	return c.interval(&left)
}

func TestScheduleAfterScheduleEndsInTime(t *testing.T) {
	left := 2 * mostRuns
	for number, want := range []string{"", "", kindLarge, kindLarge} {
		got := cronText{"* * * * *", false, "Europe/Berlin"}.interval(&left)
		if (got.Problem == nil) != (want == "") || got.Problem != nil && got.Problem.Kind != want {
			t.Errorf("%d: got %+v, want %q", number, got, want)
		}
	}
}

func TestTheLargestGapOfASchedule(t *testing.T) {
	const berlin, madrid = "Europe/Berlin", "Europe/Madrid"
	for _, c := range []struct {
		text    string
		seconds bool
		zone    string
		longest float64
	}{
		{"0 2 * * *", false, "", day},
		{"0 0 2 * * *", true, "", day},
		{"0 */6 * * *", false, "", 6 * hour},
		{"30 */5 * * *", false, "", 5 * hour}, // 20:30 to 00:30 is shorter
		{"0 1,13,14 * * *", false, "", 12 * hour},
		{"0 8-18 * * *", false, "", 14 * hour},
		{"0 8-18/2 * * 1-5", false, "", 62 * hour}, // Friday 18:00 to Monday 08:00
		{"*/15 9 * * *", false, "", 23*hour + 900},
		{"* * * * *", false, "", 60},
		{"* * * * * *", true, "", 1},
		{"0,20 * * * * *", true, "", 40},
		{"5,25 0 * * * *", true, "", hour - 20},
		{"0 0 * * 0", false, "", 7 * day},
		{"0 0 1 * *", false, "", 31 * day},
		{"0 0 31 * *", false, "", 61 * day},
		{"0 0 1 1 *", false, "", 366 * day},
		{"0 0 29 2 *", false, "", (4*365 + 1) * day},
		{"0 0 13 * 5", false, "", 7 * day}, // either of both
		{"@yearly", false, "", 366 * day},
		{"@monthly", true, "", 31 * day},
		{"@every 36h", false, "", 36 * hour},
		{"0 12 * * *", false, berlin, 25 * hour},                   // the day on which clocks go back
		{"CRON_TZ=Europe/Berlin 0 12 * * *", false, "", 25 * hour}, // a zone in the text
		{"TZ=Asia/Tokyo 0 12 * * *", false, berlin, day},           // it wins; Japan keeps its clocks
		{"30 2 * * 0", false, berlin, 14*day - hour},               // no such time on the Sunday on which clocks go forward
		{"30 2 29 3 *", false, madrid, (2*365+1)*day - hour},       // 29 March is such a Sunday in some years
		{"0 0 1 1 *", false, madrid, 366 * day},                    // both ends in winter
		{"0 */6 * * *", false, "Australia/Lord_Howe", 12.5 * hour}, // clocks change by half an hour, which the library meets by leaving 06:00 out
		{"*/30 * * * *", false, "Europe/London", 1800},             // too short for clocks to matter
		{"0 3 * * *", false, "America/New_York", 25 * hour},        // both changes are before three
		{"0 0 * * *", false, "Asia/Kolkata", day},                  // no clock changes
		{"0 0 1 1,7 *", false, "America/Sao_Paulo", 184 * day},     // none since 2019
		{"0 12 1 6 *", false, "Antarctica/Troll", 366 * day},       // two hours, and the same season at both ends
		{"0 0 12 * * 1", true, "Europe/Berlin", 7*day + hour},      // Monday to Monday over the end of October
		{"0 5 * 2-11 *", false, "", 63 * day},                      // from 30 November to 1 February
		{"0 5 28-31 * *", false, "", 28 * day},                     // from the end of January or March
		{"  0   2 * * *  ", false, "", day},
	} {
		got := cronText{c.text, c.seconds, c.zone}.once()
		if got.Problem != nil || got.Longest != c.longest {
			t.Errorf("%q in %q: got %v h (%+v), want %v h", c.text, c.zone, got.Longest/hour, got.Problem, c.longest/hour)
		}
	}
}

func TestASchedulesRunsInAYear(t *testing.T) {
	for text, want := range map[string]float64{
		"0 0 2 * * *": 365.2425, "0 0 */6 * * *": 4 * 365.2425, "0 0 0 1 1 *": 1, "*/10 * * * * *": 6 * 60 * 24 * 365.2425, "0 0 1,2 * * *": 2 * 365.2425,
	} {
		got := cronText{text, true, ""}.once()
		if got.Yearly < want*0.99 || got.Yearly > want*1.01 {
			t.Errorf("%q: %v runs, want %v", text, got.Yearly, want)
		}
	}
}

func TestWhyAScheduleHasNoGap(t *testing.T) {
	for _, c := range []struct {
		text, zone string
		seconds    bool
		kind       string
	}{
		{"0 0 31 2 *", "", false, kindNever},
		{"0 0 0 30 2 *", "", true, kindNever},
		{"0 0 31 4,6,9,11 *", "Europe/Berlin", false, kindNever},
		{", * * * * *", "", true, kindNever},
		{"0 , * * *", "", false, kindNever},
		{"0 0 * * *", "", true, kindSyntax},
		{"0 0 0 * * *", "", false, kindSyntax},
		{"61 * * * *", "", false, kindSyntax},
		{"@never", "", false, kindSyntax},
		{"", "", false, kindSyntax},
		{"TZ=UTC", "", false, kindSyntax},
		{"CRON_TZ=", "", true, kindSyntax},
		{"CRON_TZ=Nowhere 0 0 * * *", "", false, kindSyntax},
		{"0 0 * * *", "Nowhere", false, kindZone},
		{"0 0 * * *", "../../etc/passwd", false, kindZone},
		{"0 0 * * *", "Local", false, kindZone},
	} {
		got := cronText{c.text, c.seconds, c.zone}.once()
		if got.Problem == nil || got.Problem.Kind != c.kind {
			t.Errorf("%q in %q: got %+v, want a problem of kind %s", c.text, c.zone, got, c.kind)
		}
	}
}

// walkAll is the largest gap by the library alone: every run of every year.
func walkAll(schedule cron.Schedule, zone *time.Location) float64 {
	start := time.Date(firstYear, 1, 1, 0, 0, 0, 0, zone)
	end := start.AddDate(years, 0, 0)
	longest := time.Duration(0)
	last := schedule.Next(start.Add(-time.Second))
	for next := schedule.Next(last); !next.IsZero() && next.Before(end); next = schedule.Next(last) {
		longest, last = max(longest, next.Sub(last)), next
	}
	return longest.Seconds()
}

func TestAnyScheduleHasTheGapOfAllItsRuns(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	field := func(low, high int, rare bool) string {
		switch random.IntN(6) {
		case 0, 1:
			if !rare {
				return "*"
			}
		case 2:
			a := low + random.IntN(high-low+1)
			return fmt.Sprintf("%d-%d", a, min(high, a+random.IntN(4)))
		case 3:
			return fmt.Sprintf("*/%d", (high-low)/2+random.IntN((high-low)/2+1))
		case 4:
			return fmt.Sprintf("%d,%d", low+random.IntN(high-low+1), low+random.IntN(high-low+1))
		}
		return fmt.Sprint(low + random.IntN(high-low+1))
	}
	zones := []string{"", "", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Asia/Beirut", "Pacific/Auckland", "Africa/Casablanca"}
	for range 150 {
		text := strings.Join([]string{field(0, 59, true), field(0, 59, true), field(0, 23, true), field(1, 31, false), field(1, 12, false), field(0, 6, false)}, " ")
		zone := zones[random.IntN(len(zones))]
		got := cronText{text, true, zone}.once()
		location, _ := time.LoadLocation(zone)
		schedule, err := sixFields.Parse(text)
		if err != nil {
			t.Fatal(text, err)
		}
		if got.Problem != nil {
			if got.Problem.Kind != kindNever || !schedule.Next(time.Date(2030, 1, 1, 0, 0, 0, 0, location)).IsZero() {
				t.Errorf("%q in %q: %+v", text, zone, got.Problem)
			}
			continue
		}
		if want := walkAll(schedule, location); got.Longest != want {
			t.Errorf("%q in %q: got %v s, want %v s", text, zone, got.Longest, want)
		}
	}
}

func TestWhatNeverRunsIsToldOfAnObject(t *testing.T) {
	for kind, text := range map[string]string{
		"spec.schedule never": "apiVersion: velero.io/v1\nkind: Schedule\nmetadata: {name: a}\nspec: {schedule: 0 0 31 2 *, template: {}}\n",
		"spec.jobs never":     "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\nspec: {schedule: 0 0 30 2 *}\n",
		"spec.backup never":   "apiVersion: postgresql.cnpg.io/v1\nkind: ScheduledBackup\nmetadata: {name: a}\nspec: {schedule: 0 0 0 31 6 *, cluster: {name: a}}\n",
		"spec.zone syntax":    "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\nspec: {schedule: TZ=UTC}\n",
	} {
		wanted := "spec.schedule " + strings.Fields(kind)[1]
		if told := problems(parseText(t, text)); !strings.HasPrefix(told, wanted) {
			t.Errorf("%s: told %q, want %q", kind, told, wanted)
		}
	}
}
