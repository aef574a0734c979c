// IntrusiveList: a circular doubly linked list whose nodes live in the objects listed; O(1) link
// and unlink, no allocation. A node is in at most one list. Single thread. The list does not own
// its nodes.
#pragma once

namespace portcullis::io {

struct ListNode {
  ListNode* prev = nullptr;
  ListNode* next = nullptr;

  [[nodiscard]] bool linked() const { return next != nullptr; }
  void Unlink() {
    if (next == nullptr) return;
    prev->next = next;
    next->prev = prev;
    prev = next = nullptr;
  }
};

class IntrusiveList {
 public:
  IntrusiveList() { head_.prev = head_.next = &head_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  [[nodiscard]] bool empty() const { return head_.next == &head_; }
  void PushBack(ListNode& node) {
    node.prev = head_.prev;
    node.next = &head_;
    head_.prev->next = &node;
    head_.prev = &node;
  }
  void PushFront(ListNode& node) {
    node.prev = &head_;
    node.next = head_.next;
    head_.next->prev = &node;
    head_.next = &node;
  }
  // Front returns the first node, null when empty. End of iteration: Next() returns null.
  [[nodiscard]] ListNode* Front() { return empty() ? nullptr : head_.next; }
  [[nodiscard]] ListNode* Next(const ListNode& node) {
    return node.next == &head_ ? nullptr : node.next;
  }
  [[nodiscard]] ListNode* Back() { return empty() ? nullptr : head_.prev; }
  ListNode* PopFront() {
    ListNode* node = Front();
    if (node != nullptr) node->Unlink();
    return node;
  }

 private:
  ListNode head_;
};

}  // namespace portcullis::io
