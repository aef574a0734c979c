#include "core/server/commands/doctor_command.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/core/server/commands/child_process.h"
#include "tests/core/server/config_folder.h"

namespace portcullis::server {
namespace {

using ::testing::HasSubstr;

// Runs the program under test without io_uring: the real one where it is built, else one of the
// same command.
void ExpectRefusal(const char* error, const std::string& program) {
  ChildProcess doctor({PORTCULLIS_DENY_IO_URING, error, program, "doctor"});
  const int exit_code = doctor.Wait();
  EXPECT_EQ(exit_code, 78) << doctor.output();
  EXPECT_THAT(doctor.output(), HasSubstr("✗ io_uring"));
  EXPECT_THAT(doctor.output(), HasSubstr(error));  // the cause
  EXPECT_THAT(doctor.output(), HasSubstr("→ "));   // a remedy
  EXPECT_THAT(doctor.output(), HasSubstr("Portcullis cannot serve here"));
}

TEST(FormatChecks, AlignsThemAndPutsTheRemedyBeneath) {
  const std::string text = FormatChecks({
      {.name = "a", .ok = true, .required = true, .detail = "fine", .remedy = "unused"},
      {.name = "longer", .ok = false, .required = true, .detail = "broken", .remedy = "mend it"},
      {.name = "b", .ok = false, .required = false, .detail = "poor", .remedy = "improve it"},
      {.name = "c", .ok = false, .required = false, .detail = "odd", .remedy = ""},
  });
  EXPECT_EQ(text,
            "✓ a       fine\n"
            "✗ longer  broken\n"
            "          → mend it\n"
            "! b       poor\n"
            "          → improve it\n"
            "! c       odd\n");
}

TEST(DoctorCommand, NamesCauseAndRemedyUnderASeccompFilter) {
  ExpectRefusal("EPERM", PORTCULLIS_COMMANDS_TOOL);
}

TEST(DoctorCommand, NamesCauseAndRemedyWithoutTheSystemCalls) {
  ExpectRefusal("ENOSYS", PORTCULLIS_COMMANDS_TOOL);
}

#ifdef PORTCULLIS_BINARY
TEST(DoctorCommand, OfTheProgramItselfNamesCauseAndRemedyToo) {
  ExpectRefusal("EPERM", PORTCULLIS_BINARY);
  ExpectRefusal("ENOSYS", PORTCULLIS_BINARY);
}

// Service managers do not start again what ends so.
void ExpectRefusalToServe(const char* error, std::vector<std::string> command) {
  command.insert(command.begin(), {PORTCULLIS_DENY_IO_URING, error, PORTCULLIS_BINARY});
  ChildProcess server(command);
  const int exit_code = server.Wait();
  EXPECT_EQ(exit_code, 78) << server.output();
  EXPECT_THAT(server.output(), HasSubstr("this machine cannot serve"));
  EXPECT_THAT(server.output(), HasSubstr(error));                                    // the cause
  EXPECT_THAT(server.output(), HasSubstr("Allow the system calls io_uring_setup"));  // a remedy
}

TEST(DoctorCommand, ServeFindsOutTheSameBeforeItServes) {
  const ConfigFolder folder;
  for (const char* error : {"EPERM", "ENOSYS"}) {
    ExpectRefusalToServe(error, {"serve", "--config", folder.path("portcullis.yaml")});
    ExpectRefusalToServe(error, {"demo", "--check"});
  }
}
#endif

TEST(DoctorCommand, ExitCodeAndVerdictFollowWhatIsRequired) {
  ChildProcess doctor({PORTCULLIS_COMMANDS_TOOL, "doctor"});
  const int exit_code = doctor.Wait();
  const bool refused = doctor.output().find("✗ ") != std::string::npos;
  EXPECT_EQ(exit_code, refused ? 78 : 0) << doctor.output();
  EXPECT_THAT(doctor.output(), HasSubstr(refused ? "cannot serve here" : "can serve here"));
  for (const char* name : {"io_uring", "kernel", "cpus", "memory", "open files", "entropy"}) {
    EXPECT_THAT(doctor.output(), HasSubstr(std::string(" ") + name + " "));
  }
  const size_t first = doctor.output().find(" open files ");
  EXPECT_EQ(doctor.output().find(" open files ", first + 1), std::string::npos);
}

}  // namespace
}  // namespace portcullis::server
